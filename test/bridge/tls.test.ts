import { execFileSync } from 'node:child_process'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { createClock } from '../../clock.js'
import { selfSigned } from '../../doors/self-signed.js'
import { eventually } from '../support/eventually.js'
import { startMosquitto, withoutMosquitto } from '../support/mosquitto.js'
import { temporaryDirectory } from '../support/temporary-directory.js'
import { createBridgeLab, event, numbered } from './bridge-lab.js'

/** Certificate and key for a name, as files. */
function givenCertificate(directory: string, name: string): { readonly cert: string; readonly key: string } {
  const now = createClock().now()
  const pair = selfSigned([name], now, new Date(now.getTime() + 86_400_000))
  const paths = { cert: join(directory, `${name}.pem`), key: join(directory, `${name}.key`) }
  writeFileSync(paths.cert, pair.cert)
  writeFileSync(paths.key, pair.key)
  return paths
}

/** Our own are for servers. */
function givenClientCertificate(directory: string): { readonly cert: string; readonly key: string } {
  const paths = { cert: join(directory, 'client.pem'), key: join(directory, 'client.key') }
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1']
  const files = ['-nodes', '-keyout', paths.key, '-out', paths.cert, '-days', '1', '-subj', '/CN=u1']
  execFileSync('openssl', ['req', '-x509', ...curve, ...files], { stdio: 'ignore' })
  return paths
}

const withoutOpenssl = process.env['REQUIRE_PEERS'] !== '1' && !existsSync('/usr/bin/openssl')

describe.skipIf(withoutMosquitto || withoutOpenssl)('over TLS', () => {
  it('a peer is told what its certificate is trusted for, and is shown that of the unit', async () => {
    const directory = temporaryDirectory()
    const [theirs, ours] = [givenCertificate(directory, '127.0.0.1'), givenClientCertificate(directory)]
    const mosquitto = await startMosquitto(
      ...[`certfile ${theirs.cert}`, `keyfile ${theirs.key}`, `cafile ${ours.cert}`, 'require_certificate true'],
    )
    const lab = await createBridgeLab()
    await lab.log.append([event('pioreactor/u1/exp/a/b', '1'), ...numbered(0, 100)])
    const { port } = mosquitto
    const untrusted = lab.bridgeTo({ host: '127.0.0.1', port, tls: ours })
    await eventually(() => expect(untrusted.status().reason).toMatch(/self.signed certificate/))
    await untrusted.stop()
    const otherName = lab.bridgeTo({ host: 'localhost', port, tls: { ca: theirs.cert, ...ours } })
    await eventually(() => expect(otherName.status().reason).toMatch(/does not match certificate's altnames/))
    await otherName.stop()
    const unknown = lab.bridgeTo({ host: '127.0.0.1', port, tls: { ca: theirs.cert } })
    await eventually(() => expect(unknown.status().reason).toMatch(/certificate required/))
    await unknown.stop()
    expect([untrusted, otherName, unknown].map((bridge) => bridge.status().position)).toEqual([0, 0, 0])
    const bridge = lab.bridgeTo({ host: '127.0.0.1', port, tls: { ca: theirs.cert, ...ours } })
    await lab.caughtUp(bridge)
    expect(bridge.status()).toMatchObject({ connected: true, position: 101 })
  })
})
