import { defineError } from '../../../events/core/errors.js'
import { deadline } from '../../../primitives/deadline.js'
import { createSerialQueue } from '../../../primitives/serial-queue.js'
import type { SerialConnection } from '../../../services/transport/hardware.js'
import { type COMMANDS, decodeReply, type Reply } from './sics.codec.js'

const NoReply = defineError('balance.no_reply', 'hardware', 'The balance does not answer.')

const REPLY_MS = 1000

/** A balance: one question after the other, each answered by a line. */
export class Balance {
  readonly #connection: SerialConnection
  readonly #serially = createSerialQueue()
  #received = ''
  #answer: (line: string) => void = () => undefined

  constructor(connection: SerialConnection) {
    this.#connection = connection
    connection.onData((bytes) => this.#receive(Buffer.from(bytes).toString('latin1')))
  }

  get isOpen(): boolean {
    return this.#connection.open
  }

  /** @throws NoReply within a second; NoDevice when the port is gone. */
  ask(command: (typeof COMMANDS)[keyof typeof COMMANDS]): Promise<Reply> {
    return this.#serially(async () => {
      const line = new Promise<string>((resolve) => {
        this.#answer = resolve
      })
      // A late answer to an earlier question is none to this one.
      this.#received = ''
      await this.#connection.write(Buffer.from(`${command}\r\n`))
      return decodeReply(
        await deadline(REPLY_MS, line, () => {
          throw new NoReply(`The balance did not answer '${command}' within ${REPLY_MS} ms.`)
        }),
      )
    })
  }

  close(): Promise<void> {
    return this.#connection.close()
  }

  #receive(text: string): void {
    this.#received += text
    const end = this.#received.indexOf('\r\n')
    if (end === -1) return
    const line = this.#received.slice(0, end)
    this.#received = ''
    this.#answer(line)
  }
}
