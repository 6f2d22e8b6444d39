/** The identification EEPROM of a HAT (Raspberry Pi HAT specification, format 1), little-endian. The boot firmware reads it and shows
 * what it says as files of the device tree. */

export interface HatVendorInfo {
  /** Serial number, as text with hyphens. */
  readonly uuid: string
  readonly productId: number
  readonly productVersion: number
  readonly vendor: string
  readonly product: string
}

const SIGNATURE = [0x52, 0x2d, 0x50, 0x69]
const FORMAT = 1
const HEADER_BYTES = 12
const ATOM_HEADER_BYTES = 8
const VENDOR_ATOM = 1
/** Behind the UUID: product id and version, lengths of the two texts. */
const FIXED_BYTES = 22

/** CRC-16/ARC: reflected polynomial 0x8005, start 0. */
export function crc16(bytes: Uint8Array): number {
  let crc = 0
  for (const byte of bytes) {
    crc ^= byte
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >> 1) ^ 0xa001 : crc >> 1
  }
  return crc
}

/** An image that holds nothing but who made the HAT; real boards also carry a map of their pins. */
export function encodeHatEeprom({ uuid, productId, productVersion, vendor, product }: HatVendorInfo): Uint8Array {
  const text = new TextEncoder().encode(vendor + product)
  const dataBytes = FIXED_BYTES + text.length
  const image = new Uint8Array(HEADER_BYTES + ATOM_HEADER_BYTES + dataBytes + 2)
  const view = new DataView(image.buffer)
  image.set([...SIGNATURE, FORMAT, 0])
  view.setUint16(6, 1, true)
  view.setUint32(8, image.length, true)
  view.setUint16(HEADER_BYTES, VENDOR_ATOM, true)
  view.setUint32(HEADER_BYTES + 4, dataBytes + 2, true)
  const data = HEADER_BYTES + ATOM_HEADER_BYTES
  image.set(Uint8Array.from(Buffer.from(uuid.replaceAll('-', ''), 'hex')).reverse(), data)
  view.setUint16(data + 16, productId, true)
  view.setUint16(data + 18, productVersion, true)
  image.set([vendor.length, product.length], data + 20)
  image.set(text, data + FIXED_BYTES)
  const atom = image.subarray(HEADER_BYTES, data + dataBytes)
  view.setUint16(data + dataBytes, crc16(atom), true)
  return image
}

/** Who made the HAT; null when the image is none, is cut short, or its vendor atom is damaged. */
export function decodeHatEeprom(image: Uint8Array): HatVendorInfo | null {
  const view = new DataView(image.buffer, image.byteOffset, image.length)
  if (image.length < HEADER_BYTES || SIGNATURE.some((byte, at) => image[at] !== byte)) return null
  for (let at = HEADER_BYTES; at + ATOM_HEADER_BYTES + 2 <= image.length; ) {
    const length = view.getUint32(at + 4, true)
    const end = at + ATOM_HEADER_BYTES + length
    if (length < 2 || end > image.length) return null
    if (view.getUint16(at, true) === VENDOR_ATOM) return decodeVendor(image.subarray(at, end))
    at = end
  }
  return null
}

function decodeVendor(atom: Uint8Array): HatVendorInfo | null {
  const view = new DataView(atom.buffer, atom.byteOffset, atom.length)
  const body = atom.length - 2
  const data = atom.subarray(ATOM_HEADER_BYTES, body)
  const [vendorBytes = 0, productBytes = 0] = data.subarray(20, FIXED_BYTES)
  if (data.length < FIXED_BYTES + vendorBytes + productBytes) return null
  if (view.getUint16(body, true) !== crc16(atom.subarray(0, body))) return null
  const text = (from: number, length: number): string => new TextDecoder().decode(data.subarray(from, from + length))
  const hex = Buffer.from(data.subarray(0, 16)).reverse().toString('hex')
  return {
    uuid: hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
    productId: view.getUint16(ATOM_HEADER_BYTES + 16, true),
    productVersion: view.getUint16(ATOM_HEADER_BYTES + 18, true),
    vendor: text(FIXED_BYTES, vendorBytes),
    product: text(FIXED_BYTES + vendorBytes, productBytes),
  }
}
