import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { decodeHatVersion, readHatVersion } from '../../../services/transport/hat-identity.js'

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

let deviceTree: string
beforeEach(async () => {
  deviceTree = await mkdtemp(join(tmpdir(), 'hat-'))
})
afterEach(() => rm(deviceTree, { recursive: true }))

test('a Pioreactor HAT is recognised by vendor and product', async () => {
  await writeFile(join(deviceTree, 'vendor'), 'Pioreactor Inc.\0')
  await writeFile(join(deviceTree, 'product_id'), '0x0001\0')
  await writeFile(join(deviceTree, 'product_ver'), '0x0012\0')
  expect(await readHatVersion(deviceTree)).toBe('1.2')
  await writeFile(join(deviceTree, 'vendor'), 'Someone Else\0')
  expect(await readHatVersion(deviceTree)).toBeNull()
})

test('no device tree is no HAT', async () => {
  expect(await readHatVersion(join(deviceTree, 'absent'))).toBeNull()
})
