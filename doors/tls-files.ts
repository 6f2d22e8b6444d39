import { createPrivateKey, X509Certificate } from 'node:crypto'
import { createSecureContext } from 'node:tls'

/** The settings that name TLS files. */
export type TlsSetting = 'TLS_CERT' | 'TLS_KEY' | 'TLS_CA'

/** Path and content of a file, or why it cannot be read. */
export interface TlsFile {
  readonly path: string
  readonly content: string | null
  readonly unreadable?: string
}

export interface TlsFiles {
  readonly TLS_CERT: TlsFile
  readonly TLS_KEY: TlsFile
  readonly TLS_CA?: TlsFile
}

/** What is wrong with a certificate, its key, and the authorities of clients: one sentence each, naming setting and path. */
export function problemsOf(files: TlsFiles, now: Date): readonly string[] {
  const { TLS_CERT: cert, TLS_KEY: key, TLS_CA: ca } = files
  const problems: string[] = []
  const parse = <T>(setting: TlsSetting, file: TlsFile, what: string, work: (content: string) => T): T | null => {
    if (file.content === null) {
      problems.push(`${setting}: ${file.path} cannot be read: ${file.unreadable ?? 'unknown reason'}.`)
      return null
    }
    try {
      return work(file.content)
    } catch {
      problems.push(`${setting}: ${file.path} holds no ${what} in PEM form.`)
      return null
    }
  }
  const leaf = parse('TLS_CERT', cert, 'certificate', (content) => new X509Certificate(content))
  const secret = parse('TLS_KEY', key, 'private key without a passphrase', createPrivateKey)
  if (ca !== undefined) parse('TLS_CA', ca, 'certificate', certificatesOf)
  if (leaf !== null && expiryOf(leaf) <= now) {
    problems.push(`TLS_CERT: the certificate in ${cert.path} expired on ${leaf.validTo}.`)
  }
  if (leaf !== null && secret !== null && !leaf.checkPrivateKey(secret)) {
    problems.push(`TLS_KEY: ${key.path} is not the key of the certificate in ${cert.path} (TLS_CERT).`)
  }
  if (problems.length > 0) return problems
  try {
    createSecureContext(contextOf(files))
    return []
  } catch (error) {
    return [`TLS_CERT: ${cert.path} cannot be used: ${error instanceof Error ? error.message : String(error)}.`]
  }
}

/** Options of a TLS context. Clients are asked for certificates when there is an authority to vouch for them. */
export const contextOf = ({ TLS_CERT, TLS_KEY, TLS_CA }: TlsFiles) => ({
  cert: TLS_CERT.content ?? '',
  key: TLS_KEY.content ?? '',
  ...(TLS_CA === undefined ? {} : { ca: certificatesOf(TLS_CA.content ?? '') }),
})

export const expiryOf = ({ validTo }: X509Certificate): Date => new Date(Date.parse(validTo))

/** Every certificate of a PEM file. @throws Error when one is malformed, or there is none. */
function certificatesOf(content: string): string[] {
  const certificates = content.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)
  if (certificates === null) throw new Error('no certificate')
  for (const certificate of certificates) new X509Certificate(certificate)
  return certificates
}
