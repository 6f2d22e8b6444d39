import { X509Certificate } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import type { Server, TlsOptions } from 'node:tls'
import { defineError } from '../events/core/errors.js'
import type { Logger } from '../events/ports.js'
import { contextOf, expiryOf, problemsOf, type TlsFile, type TlsFiles } from './tls-files.js'

const TlsUnusable = defineError('tls.unusable', 'state', 'Certificate, key or authorities of TLS cannot be used.')

/** Certificate and key by which this unit proves who it is, at every door. */
export interface TlsIdentity {
  /** For a new server. */
  readonly options: TlsOptions
  /** Gives the server new certificates as the files change; connections that stand keep theirs. */
  follow(server: Pick<Server, 'setSecureContext' | 'once'>): void
  close(): void
}

/** Absolute paths of PEM files. */
export interface TlsPaths {
  readonly cert: string
  readonly key: string
  readonly ca?: string
}

export interface TlsIdentityOptions {
  readonly paths: TlsPaths
  readonly logger: Logger
  /** The time of the world, by which certificates expire. */
  readonly now: () => Date
  /** How often the files are read. What replaces them, be it link, rename or writing, is the same for a reader. */
  readonly pollMs?: number
  /** Handshakes that take longer are broken off. */
  readonly handshakeMs?: number
}

/** A handshake is a few packets. */
const HANDSHAKE_TIMEOUT_MS = 10_000
const POLL_MS = 2000
const SOON_MS = 14 * 24 * 3600 * 1000

/** Reads and checks the files. @throws TlsUnusable with one line per problem. */
export async function openTlsIdentity({
  paths,
  logger,
  now,
  pollMs = POLL_MS,
  handshakeMs = HANDSHAKE_TIMEOUT_MS,
}: TlsIdentityOptions): Promise<TlsIdentity> {
  let inUse = await readFiles(paths)
  const problems = problemsOf(inUse, now())
  if (problems.length > 0) {
    throw new TlsUnusable(problems.join('\n'), {
      remediation: 'benchlog certificate makes a pair; without TLS_CERT and TLS_KEY there is no TLS.',
    })
  }
  await warnOfOpenKey(paths.key, logger)
  warnOfExpiry(inUse, now(), logger)

  const servers = new Set<Pick<Server, 'setSecureContext'>>()
  let last = inUse
  let judged = inUse
  const poll = async (): Promise<void> => {
    const read = await readFiles(paths)
    // Certificate and key are written one after the other: what counts is what is found twice.
    const settled = isSame(read, last)
    last = read
    if (!settled || isSame(read, judged)) return
    judged = read
    const found = problemsOf(read, now())
    if (found.length > 0) {
      logger.error({ problems: found }, 'TLS files have changed and cannot be used; the former certificate stays')
      return
    }
    inUse = read
    for (const server of servers) server.setSecureContext(contextOf(inUse))
    logger.info({ certificate: paths.cert }, 'TLS files have changed and are in use')
    warnOfExpiry(inUse, now(), logger)
  }
  const timer = setInterval(() => void poll(), pollMs)
  timer.unref()
  return {
    get options() {
      const clients = paths.ca === undefined ? {} : { requestCert: true, rejectUnauthorized: true }
      return { ...contextOf(inUse), ...clients, handshakeTimeout: handshakeMs }
    },
    follow(server) {
      servers.add(server)
      server.once('close', () => servers.delete(server))
    },
    close: () => clearInterval(timer),
  }
}

async function readFiles({ cert, key, ca }: TlsPaths): Promise<TlsFiles> {
  const [TLS_CERT, TLS_KEY] = await Promise.all([read(cert), read(key)])
  return { TLS_CERT, TLS_KEY, ...(ca === undefined ? {} : { TLS_CA: await read(ca) }) }
}

const read = (path: string): Promise<TlsFile> =>
  readFile(path, 'utf8').then(
    (content) => ({ path, content }),
    (error: Error) => ({ path, content: null, unreadable: error.message }),
  )

const isSame = (one: TlsFiles, other: TlsFiles): boolean => JSON.stringify(one) === JSON.stringify(other)

async function warnOfOpenKey(path: string, logger: Logger): Promise<void> {
  const { mode } = await stat(path)
  if ((mode & 0o004) === 0) return
  logger.warn({ path }, `TLS_KEY: every user of this machine can read the private key; chmod 600 ${path}`)
}

function warnOfExpiry({ TLS_CERT: { path, content } }: TlsFiles, now: Date, logger: Logger): void {
  const certificate = new X509Certificate(content ?? '')
  if (expiryOf(certificate).getTime() - now.getTime() > SOON_MS) return
  logger.warn({ path, expires: certificate.validTo }, 'the TLS certificate expires soon')
}
