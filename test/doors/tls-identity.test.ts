import { chmodSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect, createServer, type Server } from 'node:tls'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { createClock } from '../../clock.js'
import { selfSigned } from '../../doors/self-signed.js'
import { openTlsIdentity, type TlsPaths } from '../../doors/tls-identity.js'
import { eventually } from '../support/eventually.js'
import { recordingLogger } from '../support/recording-logger.js'
import { temporaryDirectory } from '../support/temporary-directory.js'
import { until } from '../support/until.js'

const { now } = createClock()
const inDays = (days: number): Date => new Date(now().getTime() + days * 86_400_000)
const pairFor = (name: string, days = 100) => selfSigned([name, 'localhost'], inDays(-200), inDays(days))

let directory: string
let paths: TlsPaths
beforeEach(() => {
  directory = temporaryDirectory()
  paths = { cert: join(directory, 'cert.pem'), key: join(directory, 'key.pem') }
})

function write({ cert, key }: { readonly cert: string; readonly key: string }, to: TlsPaths = paths): void {
  writeFileSync(to.key, key, { mode: 0o600 })
  writeFileSync(to.cert, cert)
}

const logger = recordingLogger()
const opened = async (of: TlsPaths = paths) => {
  const identity = await openTlsIdentity({ paths: of, logger, now, pollMs: 20 })
  onTestFinished(identity.close)
  return identity
}

describe('files that cannot be used are refused with setting, path and reason:', () => {
  const refusal = (of: TlsPaths = paths): Promise<string> =>
    opened(of).then(
      () => 'none',
      ({ code, message }: { readonly code: string; readonly message: string }) => `${code} ${message}`,
    )

  test('all of them at once', async () => {
    writeFileSync(paths.cert, 'nonsense')
    expect(await refusal({ ...paths, ca: join(directory, 'ca.pem') })).toBe(
      [
        `tls.unusable TLS_CERT: ${paths.cert} holds no certificate in PEM form.`,
        `TLS_KEY: ${paths.key} cannot be read: ENOENT: no such file or directory, open '${paths.key}'.`,
        `TLS_CA: ${directory}/ca.pem cannot be read: ENOENT: no such file or directory, open '${directory}/ca.pem'.`,
      ].join('\n'),
    )
  })

  test('the key of another certificate', async () => {
    write({ ...pairFor('one'), key: pairFor('two').key })
    expect(await refusal()).toContain(
      `TLS_KEY: ${paths.key} is not the key of the certificate in ${paths.cert} (TLS_CERT).`,
    )
  })

  test('an expired certificate', async () => {
    write(pairFor('one', -1))
    expect(await refusal()).toMatch(/TLS_CERT: the certificate in .*cert\.pem expired on \w+ +\d+ [\d:]+ \d+ GMT\./)
  })

  test('a key where a certificate should be, and the reverse', async () => {
    const { cert, key } = pairFor('one')
    write({ cert: key, key: cert })
    expect(await refusal()).toMatch(/TLS_CERT: .* holds no certificate.*\nTLS_KEY: .* holds no private key/)
  })

  test('authorities of which one is damaged', async () => {
    const { cert, key } = pairFor('one')
    write({ cert, key })
    const ca = join(directory, 'ca.pem')
    writeFileSync(ca, cert + cert.replace(/\n[A-Za-z0-9+/]{10}/, '\nAAAAAAAAAA'))
    expect(await refusal({ ...paths, ca })).toContain(`TLS_CA: ${ca} holds no certificate in PEM form.`)
  })
})

test('a key that everybody can read, and a certificate that ends within days, are warned of', async () => {
  write(pairFor('one', 3))
  chmodSync(paths.key, 0o644)
  await opened()
  const warnings = logger.lines.filter(({ level }) => level === 'warn').map(({ message }) => message)
  expect(warnings).toEqual([expect.stringContaining(`chmod 600 ${paths.key}`), 'the TLS certificate expires soon'])
})

describe('while a server runs,', () => {
  let server: Server
  const start = async (of: TlsPaths = paths): Promise<void> => {
    const identity = await opened(of)
    server = createServer(identity.options)
    identity.follow(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => {
      server.close()
    })
  }
  /** Subject of the certificate that a new connection is shown. */
  const shown = (): Promise<string> =>
    new Promise((resolve, reject) => {
      const { port } = server.address() as { readonly port: number }
      const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
        resolve(String(socket.getPeerCertificate().subject.CN))
        socket.destroy()
      })
      socket.on('error', reject)
    })

  test('new files are taken without a restart, written over, renamed or linked', async () => {
    write(pairFor('one'))
    await start()
    expect(await shown()).toBe('one')
    write(pairFor('two'))
    await eventually(async () => expect(await shown()).toBe('two'))
    const next = { cert: `${paths.cert}.new`, key: `${paths.key}.new` }
    write(pairFor('three'), next)
    renameSync(next.key, paths.key)
    renameSync(next.cert, paths.cert)
    await eventually(async () => expect(await shown()).toBe('three'))
  })

  test('links that lead elsewhere count as new files', async () => {
    const place = (name: string): TlsPaths => ({
      cert: join(directory, `${name}1.pem`),
      key: join(directory, `${name}2.pem`),
    })
    write(pairFor('one'), place('a'))
    write(pairFor('two'), place('b'))
    const link = (name: string): void => {
      for (const which of ['cert', 'key'] as const) {
        rmSync(paths[which], { force: true })
        symlinkSync(place(name)[which], paths[which])
      }
    }
    link('a')
    await start()
    expect(await shown()).toBe('one')
    link('b')
    await eventually(async () => expect(await shown()).toBe('two'))
  })

  test('files that cannot be used leave the former certificate, and that is logged once', async () => {
    write(pairFor('one'))
    await start()
    const errors = () => logger.lines.filter(({ level }) => level === 'error')
    const before = errors().length
    write({ ...pairFor('two'), key: pairFor('other').key })
    await until(() => errors().length > before, 'the error')
    expect(errors().at(-1)?.fields).toMatchObject({ problems: [expect.stringContaining('is not the key of')] })
    expect(await shown()).toBe('one')
    rmSync(paths.cert)
    await until(() => errors().length > before + 1, 'the second error')
    expect(await shown()).toBe('one')
    write(pairFor('three'))
    await eventually(async () => expect(await shown()).toBe('three'))
    expect(errors().length).toBe(before + 2)
  })
})
