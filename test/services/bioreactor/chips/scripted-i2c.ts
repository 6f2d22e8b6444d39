import type { I2cBus } from '../../../../services/transport/hardware.js'

/** A bus that answers reads from a script and remembers every transaction as in `W[01 d3 83]` and `W[00] R[13 88]`. */
export class ScriptedI2c implements I2cBus {
  readonly transactions: string[] = []
  readonly #answers: string[]

  constructor(answers: readonly string[] = []) {
    this.#answers = [...answers]
  }

  async writeRead(address: number, bytes: Uint8Array, readLength: number): Promise<Uint8Array> {
    const answer = Buffer.from(this.#answers.shift() ?? '', 'hex')
    if (answer.length !== readLength) throw new Error(`the script has no ${readLength} bytes to read`)
    this.transactions.push(`${address.toString(16)} ${show('W', bytes)} ${show('R', answer)}`)
    return answer
  }

  async write(address: number, bytes: Uint8Array): Promise<void> {
    this.transactions.push(`${address.toString(16)} ${show('W', bytes)}`)
  }

  async isPresent(): Promise<boolean> {
    return true
  }
}

const show = (kind: string, bytes: Uint8Array): string =>
  `${kind}[${[...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')}]`
