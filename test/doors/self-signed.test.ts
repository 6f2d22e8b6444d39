import { createPrivateKey, X509Certificate } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ipv6Groups } from '../../doors/addresses.js'
import { der, objectIdentifier, time } from '../../doors/der.codec.js'
import { selfSigned } from '../../doors/self-signed.js'

const from = new Date('2026-01-02T03:04:05Z')
const until = new Date('2051-02-03T04:05:06Z')

describe('a self-signed certificate', () => {
  const { cert, key } = selfSigned(['u1', 'u1.local', '10.0.0.5', 'fd00::5', '::1'], from, until)
  const certificate = new X509Certificate(cert)

  test('is read by OpenSSL, belongs to its key and vouches for itself and for no other certificate', () => {
    expect(certificate.checkPrivateKey(createPrivateKey(key))).toBe(true)
    expect(certificate.verify(certificate.publicKey)).toBe(true)
    expect(certificate.ca).toBe(false)
    expect(certificate.publicKey.asymmetricKeyDetails).toMatchObject({ namedCurve: 'prime256v1' })
    expect([certificate.subject, certificate.issuer]).toEqual(['CN=u1', 'CN=u1'])
  })

  test('holds for the names and addresses given, from the one time to the other', () => {
    for (const host of ['u1', 'u1.local']) expect(certificate.checkHost(host)).toBe(host)
    for (const address of ['10.0.0.5', 'fd00::5', '::1']) expect(certificate.checkIP(address)).toBe(address)
    expect(certificate.checkHost('elsewhere')).toBeUndefined()
    expect(certificate.checkIP('10.0.0.6')).toBeUndefined()
    expect([certificate.validFrom, certificate.validTo].map((text) => new Date(text))).toEqual([from, until])
  })

  test('has a number and a key of its own', () => {
    const other = selfSigned(['u1'], from, until)
    expect(new X509Certificate(other.cert).serialNumber).not.toBe(certificate.serialNumber)
    expect(other.key).not.toBe(key)
  })
})

test.each([
  ['2049-12-31T23:59:59Z', 0x17, '491231235959Z'],
  ['2050-01-01T00:00:00Z', 0x18, '20500101000000Z'],
])('%s is written with the tag %i', (text, tag, expected) =>
  expect(time(new Date(text))).toEqual(Buffer.concat([Buffer.from([tag, expected.length]), Buffer.from(expected)])),
)

test('numbers of object identifiers above 127 take several octets (X.690 §8.19.5)', () =>
  expect(objectIdentifier('2.999.3').toString('hex')).toBe('0603883703'))

test.each([
  [127, '047f'],
  [128, '048180'],
  [255, '0481ff'],
  [256, '04820100'],
  [65_535, '0482ffff'],
])('a length of %i octets is written as %s', (length, head) => {
  const bytes = der(0x04, Buffer.alloc(length))
  expect(bytes.toString('hex', 0, head.length / 2)).toBe(head)
  expect(bytes).toHaveLength(head.length / 2 + length)
})

test('the groups of an IPv6 address are those that were left out too', () => {
  fc.assert(
    fc.property(fc.ipV6(), (address) => {
      const groups = ipv6Groups(address)
      if (!address.includes('.')) expect(groups).toHaveLength(8)
      expect(groups.every((group) => group !== '')).toBe(true)
    }),
  )
})
