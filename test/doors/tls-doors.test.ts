import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { connect as connectPlain } from 'node:net'
import { join } from 'node:path'
import { connectAsync, type IClientOptions } from 'mqtt'
import { describe, expect, onTestFinished, test } from 'vitest'
import { connectBus } from '../../bus/connect-bus.js'
import { createClock } from '../../clock.js'
import { selfSigned } from '../../doors/self-signed.js'
import { openTlsIdentity, type TlsIdentity } from '../../doors/tls-identity.js'
import { startGateway } from '../../http-gateway/start-gateway.js'
import { startTestBroker } from '../broker/test-broker.js'
import { startTestGateway } from '../http-gateway/support/start-test-gateway.js'
import { silentLogger } from '../support/silent-logger.js'
import { temporaryDirectory } from '../support/temporary-directory.js'

const { now } = createClock()

/** Broker and gateway that speak TLS, and the certificate they show. */
async function givenDoors(clientsCa?: string, handshakeMs = 10_000) {
  const directory = temporaryDirectory()
  const { cert, key } = selfSigned(['127.0.0.1', 'localhost'], now(), new Date(now().getTime() + 86_400_000 * 30))
  const paths = { cert: join(directory, 'cert.pem'), key: join(directory, 'key.pem') }
  writeFileSync(paths.cert, cert)
  writeFileSync(paths.key, key, { mode: 0o600 })
  const tls: TlsIdentity = await openTlsIdentity({
    paths: { ...paths, ...(clientsCa === undefined ? {} : { ca: clientsCa }) },
    logger: silentLogger,
    now,
    handshakeMs,
  })
  onTestFinished(tls.close)
  const { deps, stop } = await startTestGateway()
  onTestFinished(stop)
  const gateway = await startGateway({ deps, host: '127.0.0.1', port: 0, tls })
  onTestFinished(gateway.stop)
  const broker = await startTestBroker({ tls })
  return { ca: cert, http: gateway.port, broker }
}

interface Client {
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
}

const get = (port: number, client: Client, headers = {}): Promise<number | undefined> =>
  new Promise((resolve, reject) => {
    request(
      { host: '127.0.0.1', port, path: '/unit_api/health', servername: 'localhost', ...client, headers, agent: false },
      (response) => {
        response.resume()
        resolve(response.statusCode)
      },
    )
      .on('error', reject)
      .end()
  })

const reachable = async (url: string, client: Client): Promise<boolean> => {
  const options: IClientOptions = { protocolVersion: 4, reconnectPeriod: 0, ...client }
  const connected = await connectAsync(url, options, false).catch(() => null)
  await connected?.endAsync()
  return connected !== null
}

/** Resolves with what came back once the server has closed the connection. */
const plain = (port: number, text: string): Promise<string> =>
  new Promise((resolve) => {
    let answer = ''
    const socket = connectPlain(port, '127.0.0.1', () => socket.write(text))
    socket.on('data', (chunk) => {
      answer += chunk.toString('latin1')
    })
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(answer))
  })

test('HTTPS, MQTTS and WSS are spoken on the same ports, to clients that trust the certificate', async () => {
  const { ca, http, broker } = await givenDoors()
  expect(await get(http, { ca })).toBe(200)
  expect(await get(http, { ca }, { host: 'evil.example' })).toBe(421)
  await expect(get(http, {})).rejects.toMatchObject({ code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
  for (const url of [`mqtts://127.0.0.1:${broker.port}`, `wss://127.0.0.1:${broker.wsPort}/mqtt`]) {
    expect([url, await reachable(url, { ca })]).toEqual([url, true])
    expect([url, await reachable(url, {})]).toEqual([url, false])
  }
})

test('a client that does not speak TLS is closed at once, and others are served', async () => {
  const { ca, http, broker } = await givenDoors()
  const connectPacket = '\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01a'
  for (const port of [http, broker.port, broker.wsPort]) {
    for (const text of ['GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n', connectPacket, '\x16\x03\x01\x00\x05hello']) {
      expect(await plain(port, text)).not.toMatch(/HTTP|^\x20/)
    }
  }
  expect(await get(http, { ca })).toBe(200)
})

test('a thousand handshakes that never end are broken off, and others are served', async () => {
  const { ca, http, broker } = await givenDoors(undefined, 1500)
  const ports = [http, broker.port, broker.wsPort]
  const stalled = Array.from({ length: 1000 }, (_, index) => plain(ports[index % 3] ?? 0, '\x16\x03\x01\x02\x00'))
  expect(await get(http, { ca })).toBe(200)
  await Promise.all(stalled)
  for (const url of [`mqtts://127.0.0.1:${broker.port}`, `wss://127.0.0.1:${broker.wsPort}/mqtt`]) {
    expect([url, await reachable(url, { ca })]).toEqual([url, true])
  }
})

test('own processes come by the socket, which asks for no certificate', async () => {
  const { broker } = await givenDoors()
  const bus = await connectBus({
    socketPath: broker.socketPath,
    clientId: 'own',
    username: 'service',
    password: 'secret',
    logger: silentLogger,
  })
  await bus.publish('system/u1/x', '1')
  await bus.close()
})

const OPENSSL = '/usr/bin/openssl'
const withoutOpenssl = process.env['REQUIRE_PEERS'] !== '1' && !existsSync(OPENSSL)

describe.skipIf(withoutOpenssl)('where clients are asked for certificates', () => {
  /** An authority, and a client it vouches for. */
  function givenAuthority() {
    const directory = temporaryDirectory()
    const openssl = (...args: readonly string[]) => execFileSync(OPENSSL, args, { cwd: directory, stdio: 'pipe' })
    const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']
    openssl('req', '-x509', ...newKey, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=lab', '-days', '2')
    openssl('req', ...newKey, '-keyout', 'client.key', '-out', 'client.csr', '-subj', '/CN=node-red')
    const signing = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-days', '2']
    openssl('x509', '-req', '-in', 'client.csr', ...signing, '-out', 'client.pem')
    const read = (name: string) => readFileSync(join(directory, name), 'utf8')
    return { path: join(directory, 'ca.pem'), client: { cert: read('client.pem'), key: read('client.key') } }
  }

  test('none comes in at any door without one of the authority', async () => {
    const authority = givenAuthority()
    const { ca, http, broker } = await givenDoors(authority.path)
    const stranger = givenAuthority().client
    const urls = [`mqtts://127.0.0.1:${broker.port}`, `wss://127.0.0.1:${broker.wsPort}/mqtt`]
    expect(await get(http, { ca, ...authority.client })).toBe(200)
    for (const url of urls) expect([url, await reachable(url, { ca, ...authority.client })]).toEqual([url, true])
    for (const credentials of [{}, stranger]) {
      await expect(get(http, { ca, ...credentials })).rejects.toThrow()
      for (const url of urls) expect([url, await reachable(url, { ca, ...credentials })]).toEqual([url, false])
    }
  })
})
