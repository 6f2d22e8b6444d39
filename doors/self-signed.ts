import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'
import { isIP } from 'node:net'
import { ipv6Groups } from './addresses.js'
import {
  bitString,
  der,
  explicit,
  implicit,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  setOf,
  time,
  utf8String,
} from './der.codec.js'

export interface KeyPair {
  /** Certificate, PEM. */
  readonly cert: string
  /** Private key, PEM (PKCS #8). */
  readonly key: string
}

const ECDSA_WITH_SHA256 = '1.2.840.10045.4.3.2'
const COMMON_NAME = '2.5.4.3'
const SUBJECT_KEY_IDENTIFIER = '2.5.29.14'
const SUBJECT_ALT_NAME = '2.5.29.17'
const BASIC_CONSTRAINTS = '2.5.29.19'
const EXTENDED_KEY_USAGE = '2.5.29.37'
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1'

/** A new P-256 key and its certificate, signed by itself (RFC 5280). It is valid for these hosts alone: a client that trusts it does not trust
 * other certificates that its key could sign.
 * @param names host names and addresses; the first names the subject. */
export function selfSigned(names: readonly string[], from: Date, until: Date): KeyPair {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const publicInfo = publicKey.export({ type: 'spki', format: 'der' })
  const algorithm = sequence(objectIdentifier(ECDSA_WITH_SHA256))
  const subject = sequence(setOf(sequence(objectIdentifier(COMMON_NAME), utf8String((names[0] ?? '').slice(0, 64)))))
  const keyId = createHash('sha1').update(publicInfo).digest()
  const content = sequence(
    explicit(0, integer(Buffer.from([2]))),
    integer(serialNumber()),
    algorithm,
    subject,
    sequence(time(from), time(until)),
    subject,
    publicInfo,
    explicit(
      3,
      sequence(
        extension(BASIC_CONSTRAINTS, sequence()),
        extension(EXTENDED_KEY_USAGE, sequence(objectIdentifier(SERVER_AUTH))),
        extension(SUBJECT_KEY_IDENTIFIER, octetString(keyId)),
        extension(SUBJECT_ALT_NAME, sequence(...names.map(generalName))),
      ),
    ),
  )
  const certificate = sequence(content, algorithm, bitString(sign('sha256', content, privateKey)))
  return { cert: pem(certificate), key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
}

/** Positive, without a leading octet of zero. */
function serialNumber(): Buffer {
  const bytes = randomBytes(16)
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40
  return bytes
}

const TRUE = der(0x01, Buffer.from([0xff]))

const extension = (id: string, value: Uint8Array): Buffer =>
  sequence(objectIdentifier(id), ...(id === BASIC_CONSTRAINTS ? [TRUE] : []), octetString(value))

/** `dNSName` or `iPAddress`. */
function generalName(name: string): Buffer {
  switch (isIP(name)) {
    case 4:
      return implicit(7, Buffer.from(name.split('.').map(Number)))
    case 6:
      return implicit(
        7,
        Buffer.from(
          ipv6Groups(name)
            .map((group) => group.padStart(4, '0'))
            .join(''),
          'hex',
        ),
      )
    default:
      return implicit(2, Buffer.from(name))
  }
}

const pem = (bytes: Buffer): string => {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? []
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n')
}
