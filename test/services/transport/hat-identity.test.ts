import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import {
  crc16,
  decodeHatEeprom,
  encodeHatEeprom,
  type HatVendorInfo,
} from '../../../services/transport/hat-eeprom.codec.js'
import { decodeHatVersion, deviceTreeFiles, readBoardIdentity } from '../../../services/transport/hat-identity.js'
import { temporaryDirectory } from '../../support/temporary-directory.js'

const hat: HatVendorInfo = {
  uuid: '01234567-89ab-4cde-8f01-23456789abcd',
  productId: 1,
  productVersion: 0x0012,
  vendor: 'Pioreactor Inc.',
  product: 'Pioreactor HAT',
}

const EEPROM_1 = `52 2d 50 69 01 00 01 00 49 00 00 00 01 00 00 00 35 00 00 00
cd ab 89 67 45 23 01 8f de 4c ab 89 67 45 23 01 01 00 12 00 0f 0e
50 69 6f 72 65 61 63 74 6f 72 20 49 6e 63 2e
50 69 6f 72 65 61 63 74 6f 72 20 48 41 54 03 df`.replaceAll(/\s/g, '')

describe('the EEPROM of a HAT', () => {
  test('its CRC is CRC-16/ARC', () => {
    expect(crc16(Buffer.from('123456789'))).toBe(0xbb3d)
  })

  test('EEPROM-1: names maker, version and serial number', () => {
    expect(Buffer.from(encodeHatEeprom(hat)).toString('hex')).toBe(EEPROM_1)
    expect(decodeHatEeprom(Buffer.from(EEPROM_1, 'hex'))).toEqual(hat)
  })

  test('an atom before that of the maker is passed over', () => {
    const image = Buffer.from(EEPROM_1, 'hex')
    const pins = Buffer.from('020000000400000012340000', 'hex')
    expect(decodeHatEeprom(Buffer.concat([image.subarray(0, 12), pins, image.subarray(12)]))).toEqual(hat)
  })

  test('an image that is cut short or has a wrong bit names nobody, and never throws', () => {
    const image = Buffer.from(EEPROM_1, 'hex')
    fc.assert(
      fc.property(fc.nat(image.length - 1), fc.nat(7), (at, bit) => {
        expect(decodeHatEeprom(image.subarray(0, at))).toBeNull()
        const damaged = Buffer.from(image)
        damaged[at] = (damaged[at] ?? 0) ^ (1 << bit)
        const read = decodeHatEeprom(damaged)
        // Format, number of atoms and length in the header, and the atom's index, name nobody.
        const isAbout = at >= 16 || at < 4
        if (isAbout) expect(read).toBeNull()
      }),
    )
    fc.assert(fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => void decodeHatEeprom(bytes)))
  })
})

test.each([
  ['0x0010', '1.0'],
  ['0x0011', '1.1'],
  ['0x0012\0', '1.2'],
])('product version %j is HAT %s', (text, version) => {
  expect(decodeHatVersion(text)).toBe(version)
})

test('anything but decimal digits is refused', () => {
  expect(() => decodeHatVersion('0x001b')).toThrow(/must end in two decimal digits/)
})

describe('the device tree', () => {
  let root: string
  beforeEach(async () => {
    root = temporaryDirectory()
    await mkdir(join(root, 'hat'))
    for (const [name, text] of Object.entries(deviceTreeFiles(hat))) await writeFile(join(root, 'hat', name), text)
    await writeFile(join(root, 'model'), 'Raspberry Pi 4 Model B Rev 1.5\0')
  })

  test('tells version and serial number of a Pioreactor HAT, and the computer', async () => {
    expect(await readBoardIdentity(root)).toEqual({
      hatVersion: '1.2',
      hatSerialNumber: hat.uuid,
      computer: 'Raspberry Pi 4 Model B Rev 1.5',
    })
  })

  test('of another maker has no HAT of ours', async () => {
    await writeFile(join(root, 'hat', 'vendor'), 'Someone Else\0')
    expect(await readBoardIdentity(root)).toMatchObject({ hatVersion: null })
  })

  test('that is not there has no HAT', async () => {
    await rm(root, { recursive: true })
    expect(await readBoardIdentity(root)).toEqual({
      hatVersion: null,
      hatSerialNumber: '00000000-0000-0000-0000-000000000000',
      computer: '',
    })
  })
})
