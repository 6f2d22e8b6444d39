import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { InvalidInput } from '../../events/core/errors.js'
import type { HatVendorInfo } from './hat-eeprom.codec.js'

/** What the boot firmware tells of the computer and of the HAT on it. */
export interface BoardIdentity {
  /** Version of a Pioreactor HAT, such as `1.2`; null when there is none. */
  readonly hatVersion: string | null
  /** Zeros where none is known. */
  readonly hatSerialNumber: string
  /** Such as `Raspberry Pi 5 Model B Rev 1.0`; empty where none is known. */
  readonly computer: string
}

const NO_SERIAL_NUMBER = '00000000-0000-0000-0000-000000000000'

/** Version text of the HAT's `product_ver`: its last two digits, so `0x0012` is `1.2`.
 * @throws InvalidInput when they are not digits. */
export function decodeHatVersion(productVersion: string): string {
  const match = /(\d)(\d)\0*$/.exec(productVersion)
  if (match === null) throw new InvalidInput(`HAT version '${productVersion}': must end in two decimal digits.`)
  return `${match[1]}.${match[2]}`
}

/** Files of the device tree for what a HAT's EEPROM says, by name; each ends in a NUL byte. */
export function deviceTreeFiles(info: HatVendorInfo): Readonly<Record<string, string>> {
  const hex = (value: number): string => `0x${value.toString(16).padStart(4, '0')}\0`
  return {
    vendor: `${info.vendor}\0`,
    product: `${info.product}\0`,
    product_id: hex(info.productId),
    product_ver: hex(info.productVersion),
    uuid: `${info.uuid}\0`,
  }
}

/** Identity as the boot firmware left it in the device tree. A HAT of another maker is none.
 * @throws InvalidInput when the version of a Pioreactor HAT cannot be read. */
export async function readBoardIdentity(deviceTree = '/proc/device-tree'): Promise<BoardIdentity> {
  const read = (...path: string[]): Promise<string | null> =>
    readFile(join(deviceTree, ...path), 'utf8').then(
      (text) => text.replace(/\0+$/, ''),
      () => null,
    )
  const [vendor, product, version, uuid, computer] = await Promise.all([
    read('hat', 'vendor'),
    read('hat', 'product_id'),
    read('hat', 'product_ver'),
    read('hat', 'uuid'),
    read('model'),
  ])
  const isOurs = vendor === 'Pioreactor Inc.' && product === '0x0001' && version !== null
  return {
    hatVersion: isOurs ? decodeHatVersion(version) : null,
    hatSerialNumber: uuid ?? NO_SERIAL_NUMBER,
    computer: computer ?? '',
  }
}
