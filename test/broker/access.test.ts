import { once } from 'node:events'
import { describe, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { authenticate, createAccess } from '../../broker/access.js'
import { instruments } from '../../instruments.js'

const { refusalOf } = createAccess(
  instruments.map(({ topics }) => topics),
  ['u1', 'box'],
)

import { eventually } from '../support/eventually.js'
import { connect, inboxOf, SERVICE, startTestBroker, textsOf } from './test-broker.js'

const secrets = {
  servicePassword: 's3cret',
  leaderPassword: 'leads',
  workerPassword: 'works',
  mqttUsername: 'lab',
  mqttPassword: 'door',
}

describe('who is who', () => {
  test.each([
    ['service', 's3cret', 'service'],
    ['service', 'wrong', null],
    ['service', undefined, null],
    ['leader', 'leads', 'leader'],
    ['leader', 'door', null],
    ['worker', 'works', 'worker'],
    ['worker', 'door', null],
    ['lab', 'door', 'client'],
    ['lab', 'wrong', null],
    ['other', 'door', null],
    [undefined, undefined, null],
  ])('%s with %s is %s', (username, password, role) => {
    expect(authenticate(secrets, username, password === undefined ? undefined : Buffer.from(password))).toBe(role)
  })

  test('without a user name set everybody is an outside client, but nobody a service or leader by an empty password', () => {
    const open = { servicePassword: '', leaderPassword: '', workerPassword: '', mqttUsername: '', mqttPassword: '' }
    expect(authenticate(open, undefined, undefined)).toBe('client')
    expect(authenticate(open, 'node-red', Buffer.from('x'))).toBe('client')
    expect(authenticate(open, 'service', Buffer.from(''))).toBeNull()
    expect(authenticate(open, 'leader', Buffer.from(''))).toBeNull()
  })
})

describe('who may publish where', () => {
  const commands = [
    'pioreactor/u1/growth/stirring/target_rpm/set',
    'pioreactor/u1/growth/stirring/$state/set',
    'pioreactor/$broadcast/growth/stirring/target_rpm/set',
    'pioreactor/u1/$experiment/add_media/$state/set',
    'pioreactor/u1/growth/monitor/flicker_led_response_okay',
    'system/u1/commands/run_job',
  ]
  const leaders = [
    'pioreactor/u1/$experiment/assignment',
    'pioreactor/u1/growth/experiment_profile/running',
    'pioreactor/u1/growth/logs/app/info',
  ]
  const events = [
    'pioreactor/u1/growth/stirring/target_rpm',
    'pioreactor/u1/growth/dosing_events',
    'pioreactor/u1/growth/stirring/target_rpm/set/outcome',
    'potentiostat/box/run/order',
    'system/u1/outcomes/1',
    'system',
  ]
  const ofWorkers = ['pioreactor/u2/growth/stirring/target_rpm', 'pioreactor/u2/growth/logs/app/info']
  const foreign = ['lab/door', 'pioreactors/x', '/system/u1']

  test.each([
    ['service', [...commands, ...leaders, ...events, ...foreign], []],
    ['leader', [...commands, ...leaders, ...foreign], events],
    [
      'worker',
      [...commands, ...foreign, ...ofWorkers],
      [...leaders, ...events, 'system/u2/service', 'potentiostat/u2/run/order'],
    ],
    ['client', [...commands, ...foreign], [...leaders, ...events, ...ofWorkers]],
  ] as const)('%s', (role, allowed, refused) => {
    for (const topic of allowed) expect([topic, refusalOf(role, topic, false)]).toEqual([topic, null])
    for (const topic of refused) expect([topic, refusalOf(role, topic, false)]).toEqual([topic, expect.any(String)])
  })

  test.each(['service', 'leader', 'client'] as const)('nobody retains a command or writes to $SYS: %s', (role) => {
    expect(refusalOf(role, 'pioreactor/u1/growth/stirring/target_rpm/set', true)).toMatch(/never retained/)
    expect(refusalOf(role, 'system/u1/commands/run_job', true)).toMatch(/never retained/)
    expect(refusalOf(role, '$SYS/benchlog/log', false)).toMatch(/belong to the broker/)
    expect(refusalOf(role, `a${'/'.repeat(99)}`, false)).toBeNull()
    expect(refusalOf(role, `a${'/'.repeat(100)}`, false)).toMatch(/at most 100 levels/)
    expect(refusalOf(role, 'ä'.repeat(512), false)).toBeNull()
    expect(refusalOf(role, 'ä'.repeat(513), false)).toBe('a topic has at most 1024 bytes, not 1026')
  })
})

test('a wrong password is refused with return code 4', async () => {
  const broker = await startTestBroker({ mqttUsername: 'lab', mqttPassword: 'door' })
  await connect(broker, { username: 'lab', password: 'door' })
  await connect(broker, { ...SERVICE })
  await expect(connect(broker, { username: 'lab', password: 'x' })).rejects.toMatchObject({ code: 4 })
  await expect(connect(broker)).rejects.toMatchObject({ code: 4 })
})

test('wrong passwords are slowed down for the address they come from, whatever client id and door', async () => {
  const { port, wsPort } = await startTestBroker({ mqttUsername: 'lab', mqttPassword: 'door' })
  const begun = performance.now()
  const attempts = Array.from({ length: 20 }, (_, index) =>
    connect({ port, wsPort }, { webSocket: index % 2 === 1, username: 'lab', password: 'x' }).then(
      () => 0,
      ({ code }: { readonly code: number }) => code,
    ),
  )
  const codes = await Promise.all(attempts)
  const elapsed = performance.now() - begun
  const compared = codes.filter((code) => code === 4).length
  expect(compared).toBeGreaterThanOrEqual(5)
  expect(compared).toBeLessThanOrEqual(6 + elapsed / 1000)
  expect(codes.filter((code) => code === 3)).toHaveLength(20 - compared)
  await eventually(() => connect({ port, wsPort }, { username: 'lab', password: 'door' }))
})

test('a refused publish is recorded, acknowledged and dropped; the connection lives and nothing is sent again', async () => {
  const broker = await startTestBroker()
  const watcher = await connect(broker)
  const inbox = inboxOf(watcher)
  await watcher.subscribeAsync('#', { qos: 1 })
  const client = await connect(broker, { clientId: 'intruder', reconnectPeriod: 10 })
  let connections = 1
  client.on('connect', () => connections++)
  const published = [0, 1, 2].flatMap((qos) => [
    client.publishAsync('pioreactor/u1/e/od_reading/ods', `forged ${qos}`, { qos: qos as 0 | 1 | 2, retain: true }),
    client.publishAsync('lab/fine', `fine ${qos}`, { qos: qos as 0 | 1 | 2 }),
  ])
  await Promise.all(published)
  await inbox.count(6)
  expect(inbox.texts.filter((text) => text.startsWith('lab/'))).toEqual([
    'lab/fine=fine 0',
    'lab/fine=fine 1',
    'lab/fine=fine 2',
  ])
  const refusals = inbox.packets.filter(({ topic }) => topic === 'system/u1/refusals')
  expect(refusals.map(({ payload }) => JSON.parse(payload.toString()))).toEqual(
    Array(3).fill({
      client: 'intruder',
      topic: 'pioreactor/u1/e/od_reading/ods',
      bytes: 8,
      reason: expect.stringContaining('an outside client publishes commands'),
      timestamp: expect.any(String),
    }),
  )
  expect(textsOf(broker.events())).toEqual(inbox.texts)
  expect(broker.reader.retained('#')).toEqual([])
  expect(connections).toBe(1)
})

test('what RECORD_EXCLUDE names is delivered and not recorded, but never one of our families', async () => {
  const broker = await startTestBroker({ recordExclude: ['video/#', 'system/#'] })
  const client = await connect(broker, SERVICE)
  const inbox = inboxOf(client)
  await client.subscribeAsync('#', { qos: 1 })
  await client.publishAsync('video/frame', 'pixels', { qos: 1, retain: true })
  await client.publishAsync('system/u1/config', 'x', { qos: 1 })
  await inbox.count(2)
  expect(inbox.texts.sort()).toEqual(['system/u1/config=x', 'video/frame=pixels'])
  expect(textsOf(broker.events())).toEqual(['system/u1/config=x'])
})

describe('a WebSocket', () => {
  /** 101, or the status of the refusal. */
  const opens = (port: number, headers: Readonly<Record<string, string>>): Promise<number | undefined> => {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/mqtt`, 'mqtt', { headers })
    socket.on('error', () => undefined)
    return new Promise<number | undefined>((resolve) => {
      socket.once('open', () => resolve(101))
      socket.once('unexpected-response', (_request, { statusCode }) => resolve(statusCode))
    }).finally(() => socket.terminate())
  }

  test('without a password is let in from programs and own pages only', async () => {
    const { wsPort } = await startTestBroker()
    const own = `127.0.0.1:${wsPort}`
    expect(await opens(wsPort, {})).toBe(101)
    expect(await opens(wsPort, { origin: `http://${own}` })).toBe(101)
    for (const origin of ['http://127.0.0.1:3000', `http://localhost:${wsPort}`, 'https://elsewhere.example', 'null']) {
      expect([origin, await opens(wsPort, { origin })]).toEqual([origin, 403])
    }
  })

  test.each([
    ['text', 'ends'],
    ['binary', 'goes on'],
  ])('whose frames are %s %s', async (kind) => {
    const { wsPort } = await startTestBroker()
    const socket = new WebSocket(`ws://127.0.0.1:${wsPort}/mqtt`, 'mqtt')
    await once(socket, 'open')
    const connectPacket = Buffer.from('\x10\x0d\x00\x04MQTT\x04\x02\x00\x3c\x00\x01a', 'latin1')
    const answered = Promise.race([
      once(socket, 'close').then(() => 'end'),
      once(socket, 'message').then(() => 'answer'),
    ])
    socket.send(connectPacket, { binary: kind === 'binary' })
    expect(await answered).toBe(kind === 'binary' ? 'answer' : 'end')
    socket.terminate()
  })

  test('to a name that is not of this unit is refused, whatever page it comes from', async () => {
    const rebound = { host: 'evil.example', origin: 'http://evil.example' }
    const open = await startTestBroker()
    expect(await opens(open.wsPort, rebound)).toBe(421)
    const locked = await startTestBroker({ mqttUsername: 'u', mqttPassword: 'p' })
    expect(await opens(locked.wsPort, rebound)).toBe(421)
  })

  test('of any page is let in where a password is asked for', async () => {
    const { wsPort } = await startTestBroker({ mqttUsername: 'u', mqttPassword: 'p' })
    expect(await opens(wsPort, { origin: 'https://elsewhere.example' })).toBe(101)
  })
})
