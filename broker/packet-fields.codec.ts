import { isMqttText } from '../events/topic.js'
import { ProtocolViolation } from './protocol-violation.js'

/** The fields of one whole packet, one after the other (MQTT 3.1.1 §1.5). Whatever does not fit is a violation. */
export class PacketFields {
  readonly #packet: Buffer
  readonly #name: string
  #at: number

  /** @param name what the packet is called in errors */
  constructor(packet: Buffer, name: string) {
    this.#packet = packet
    this.#name = name
    this.#at = bodyStart(packet, 0)
  }

  get atEnd(): boolean {
    return this.#at === this.#packet.length
  }

  byte(field: string): number {
    return this.#packet[this.#take(1, field)] ?? 0
  }

  uint16(field: string): number {
    return this.#packet.readUInt16BE(this.#take(2, field))
  }

  identifier(): number {
    const identifier = this.uint16('packet identifier')
    if (identifier === 0) throw new ProtocolViolation(`a ${this.#name} packet with identifier 0`, '2.3.1-1')
    return identifier
  }

  bytes(field: string): Buffer {
    const length = this.uint16(field)
    const from = this.#take(length, field)
    return this.#packet.subarray(from, from + length)
  }

  text(field: string): string {
    const length = this.uint16(field)
    const from = this.#take(length, field)
    return decodeText(this.#packet, from, from + length, `a ${this.#name} packet whose ${field}`)
  }

  end(): void {
    const excess = this.#packet.length - this.#at
    if (excess > 0) throw new ProtocolViolation(`a ${this.#name} packet with ${excess} bytes after its end`)
  }

  #take(length: number, field: string): number {
    const from = this.#at
    if (from + length > this.#packet.length) {
      throw new ProtocolViolation(`a ${this.#name} packet that ends within its ${field}`)
    }
    this.#at += length
    return from
  }
}

/** Where the length of the packet that begins here ends. */
export function bodyStart(bytes: Buffer, from: number): number {
  let at = from + 1
  while (((bytes[at++] ?? 0) & 128) !== 0);
  return at
}

/** The text of these bytes. NUL and what is not UTF-8 close the connection; the standard lets a server close it for control characters
 * and non-characters too, and so does this one: they make lines of a log and names of files that nobody can read.
 * @param subject begins the error */
export function decodeText(packet: Buffer, from: number, to: number, subject: string): string {
  let isAscii = true
  for (let at = from; at < to; at++) {
    const byte = packet[at] ?? 0
    if (byte === 0) throw new ProtocolViolation(`${subject} has U+0000`, '1.5.3-2')
    if (byte < 32 || byte > 126) isAscii = false
  }
  if (isAscii) return packet.toString('latin1', from, to)
  const text = packet.toString('utf8', from, to)
  if (text.includes('\ufffd') && !Buffer.from(text).equals(packet.subarray(from, to))) {
    throw new ProtocolViolation(`${subject} is not UTF-8`, '1.5.3-1')
  }
  if (!isMqttText(text)) throw new ProtocolViolation(`${subject} has a control character or a non-character`)
  return text
}
