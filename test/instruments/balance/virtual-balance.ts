import { openPty, type Pty } from '../../../simulation/potentiostat/pty.js'
import { COMMANDS, encodeMass } from './sics.codec.js'

/** The twin of the balance: the same lines, on a pseudo-terminal that can be pulled out and put back. */
export class VirtualBalance {
  /** What lies on it, g. */
  load = 0
  isStable = true
  /** How often it was told to break off what it does. */
  cancelled = 0
  readonly link: string
  readonly #maximum: number
  #tare = 0
  #pty: Pty | null = null

  /** @param maximum in g. */
  constructor(link: string, maximum = 200) {
    this.link = link
    this.#maximum = maximum
  }

  async plug(): Promise<void> {
    const pty = await openPty(this.link)
    let received = ''
    pty.onData((bytes) => {
      const lines = (received + Buffer.from(bytes).toString('latin1')).split('\r\n')
      received = lines.pop() ?? ''
      for (const line of lines) pty.write(Buffer.from(`${this.answer(line)}\r\n`))
    })
    this.#pty = pty
  }

  async unplug(): Promise<void> {
    await this.#pty?.close()
    this.#pty = null
  }

  answer(line: string): string {
    switch (line) {
      case COMMANDS.read:
        return this.load > this.#maximum ? 'S +' : encodeMass('S', this.load - this.#tare, this.isStable)
      case COMMANDS.tare:
        if (this.load > this.#maximum) return 'TI +'
        this.#tare = this.load
        return encodeMass('TI', this.load, this.isStable)
      case COMMANDS.cancel:
        this.cancelled++
        return 'I4 A "B021002593"'
      default:
        return 'ES'
    }
  }
}
