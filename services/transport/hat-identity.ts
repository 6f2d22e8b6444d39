import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { InvalidInput } from '../../events/core/errors.js'

/** Version text of the HAT's `product_ver`: its last two digits, so `0x0012` is `1.2`.
 * @throws InvalidInput when they are not digits. */
export function decodeHatVersion(productVersion: string): string {
  const match = /(\d)(\d)\0*$/.exec(productVersion)
  if (match === null) throw new InvalidInput(`HAT version '${productVersion}': must end in two decimal digits.`)
  return `${match[1]}.${match[2]}`
}

/** Version of the Pioreactor HAT whose EEPROM the boot firmware read; null when there is none. */
export async function readHatVersion(deviceTree = '/proc/device-tree/hat'): Promise<string | null> {
  const read = (name: string): Promise<string | null> =>
    readFile(join(deviceTree, name), 'utf8').then(
      (text) => text.replace(/\0+$/, ''),
      () => null,
    )
  const [vendor, product, version] = await Promise.all([read('vendor'), read('product_id'), read('product_ver')])
  if (vendor !== 'Pioreactor Inc.' || product !== '0x0001' || version === null) return null
  return decodeHatVersion(version)
}
