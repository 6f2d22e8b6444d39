/** Distinguished Encoding Rules (X.690): as much of them as a certificate needs. */
export function der(tag: number, ...content: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(content)
  return Buffer.concat([Buffer.from([tag]), lengthOf(body.length), body])
}

/** §8.1.3: up to 127 in one octet, else the number of octets that follow, and these. */
function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length])
  const octets = Buffer.from(length.toString(16).padStart(length > 0xff ? 4 : 2, '0'), 'hex')
  return Buffer.concat([Buffer.from([0x80 | octets.length]), octets])
}

export const sequence = (...content: readonly Uint8Array[]): Buffer => der(0x30, ...content)
export const setOf = (...content: readonly Uint8Array[]): Buffer => der(0x31, ...content)
export const octetString = (...content: readonly Uint8Array[]): Buffer => der(0x04, ...content)
export const utf8String = (text: string): Buffer => der(0x0c, Buffer.from(text))

/** Whole octets: none of the last one's bits is unused. */
export const bitString = (bytes: Uint8Array): Buffer => der(0x03, Buffer.from([0]), bytes)

/** A positive integer below 2^(8·n − 1); leading octets of zero are given away by the caller. */
export const integer = (bytes: Uint8Array): Buffer => der(0x02, bytes)

/** `[number]` around what is tagged already. */
export const explicit = (number: number, ...content: readonly Uint8Array[]): Buffer => der(0xa0 | number, ...content)

/** `[number]` in place of the type's own tag. */
export const implicit = (number: number, content: Uint8Array): Buffer => der(0x80 | number, content)

/** Dotted notation; numbers below 2^31. */
export function objectIdentifier(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  return der(0x06, Buffer.from([first * 40 + second, ...rest].flatMap(base128)))
}

function base128(value: number): number[] {
  const digits = [value & 0x7f]
  for (let left = value >>> 7; left > 0; left >>>= 7) digits.unshift((left & 0x7f) | 0x80)
  return digits
}

/** UTCTime up to 2049, GeneralizedTime from then on (RFC 5280 §4.1.2.5). */
export function time(date: Date): Buffer {
  const text = `${date.toISOString().replace(/[-:T]|\.\d+/g, '')}`
  return text < '2050' ? der(0x17, Buffer.from(text.slice(2))) : der(0x18, Buffer.from(text))
}
