import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { cursorPath } from '../../bridge/cursor-file.js'
import { type RunningBridge, startBridge } from '../../bridge/start-bridge.js'
import { systemRights } from '../../events/topic-rights.js'
import { instruments } from '../../instruments.js'
import { connect, SERVICE, startTestBroker, type TestBroker } from '../broker/test-broker.js'
import { layCable } from '../support/cut-cable.js'
import { eventually } from '../support/eventually.js'
import { startMosquitto, withoutMosquitto } from '../support/mosquitto.js'
import { silentLogger } from '../support/silent-logger.js'
import { until } from '../support/until.js'
import { listen } from './bridge-lab.js'

const rights = [...instruments.map(({ topics }) => topics), systemRights]

function startBridgeFrom({ home, socketPath, port }: TestBroker, unit: string, to: number): RunningBridge {
  const bridge = startBridge(
    {
      ...{ unit, box: unit, rights, floor: 0, families: ['pioreactor', 'potentiostat', 'system'] },
      peer: { host: '127.0.0.1', port: to, tls: null },
      eventLogPath: join(home, 'event-log.db'),
      ownPort: port,
      own: { socketPath, password: String(SERVICE.password) },
      importer: 'bridge peer',
      cursorPath: cursorPath(join(home, 'bridge'), 'peer'),
    },
    silentLogger,
  )
  onTestFinished(() => bridge.stop())
  return bridge
}

/** A bridge from a unit to the peer at a port. */
async function bridgeFrom(broker: TestBroker, unit: string, to: number): Promise<RunningBridge> {
  const bridge = startBridgeFrom(broker, unit, to)
  await until(
    () => bridge.status().connected,
    () => JSON.stringify(bridge.status()),
  )
  return bridge
}

const imported = (unit: TestBroker): string[] =>
  unit
    .events()
    .flatMap(({ client, topic, payload, retain }) =>
      client === 'bridge peer' ? [`${topic} ${Buffer.from(payload).toString()}${retain ? ' (retained)' : ''}`] : [],
    )

/** The last thing that is told, so that what came before it has been seen. */
const LAST = 'pioreactor/u1/exp/job/last/set'

describe.skipIf(withoutMosquitto)('what a peer tells the unit', () => {
  it('is published here: orders, assignment, profiles and logs of others; nothing else, and nothing goes back', async () => {
    const [unit, mosquitto] = [await startTestBroker(), await startMosquitto()]
    const leader = await mosquitto.connect()
    const seen = await listen(leader, 'pioreactor/#')
    await bridgeFrom(unit, 'u1', mosquitto.port)
    const told: [topic: string, payload: string][] = [
      ['pioreactor/u1/exp/stirring/target_rpm/set', '500'],
      ['pioreactor/$broadcast/exp/stirring/$state/set', 'sleeping'],
      ['pioreactor/u1/$experiment/monitor/flicker_led_response_okay', '1'],
      ['pioreactor/u1/$experiment/assignment', '{"experiment":"exp"}'],
      ['pioreactor/leader/exp/experiment_profile/7/$state', 'ready'],
      ['pioreactor/leader/exp/logs/app/info', '{}'],
      ['pioreactor/leader/exp/logs/app/info', '{}'],
      ['pioreactor/u2/exp/stirring/target_rpm/set', '1'],
      ['pioreactor/u2/$experiment/assignment', '{}'],
      ['pioreactor/u1/exp/stirring/target_rpm', '1'],
      ['pioreactor/u1/exp/logs/app/info', '{}'],
      ['system/u1/commands/reboot', '{}'],
      [LAST, ''],
    ]
    await until(async () => {
      await leader.publishAsync(LAST, 'hello', { qos: 1 })
      return imported(unit).length > 0
    }, 'the bridge to listen')
    for (const [topic, payload] of told) await leader.publishAsync(topic, payload, { qos: 1 })
    await until(() => imported(unit).at(-1) === `${LAST} `, 'the last message')
    expect(imported(unit).filter((line) => !line.endsWith('hello'))).toEqual([
      'pioreactor/u1/exp/stirring/target_rpm/set 500',
      'pioreactor/u1/exp/stirring/$state/set sleeping',
      'pioreactor/u1/$experiment/monitor/flicker_led_response_okay 1',
      'pioreactor/u1/$experiment/assignment {"experiment":"exp"} (retained)',
      'pioreactor/leader/exp/experiment_profile/7/$state ready (retained)',
      'pioreactor/leader/exp/logs/app/info {}',
      `${LAST} `,
    ])
    expect(seen.filter((line) => !line.startsWith(LAST))).toEqual(
      told
        .slice(0, -1)
        .filter(([topic]) => topic.startsWith('pioreactor'))
        .map((line) => line.join(' ')),
    )
  })

  it('that is older than the connection is an assignment or nothing: no order is carried out late', async () => {
    const [unit, mosquitto] = [await startTestBroker(), await startMosquitto()]
    const leader = await mosquitto.connect()
    const cable = await layCable(mosquitto.port)
    const retained = { qos: 1, retain: true } as const
    await leader.publishAsync('pioreactor/u1/exp/stirring/target_rpm/set', '500', retained)
    await leader.publishAsync('pioreactor/u1/$experiment/assignment', '{"experiment":"exp"}', retained)
    const bridge = await bridgeFrom(unit, 'u1', cable.port)
    await eventually(() =>
      expect(imported(unit)).toEqual(['pioreactor/u1/$experiment/assignment {"experiment":"exp"} (retained)']),
    )
    cable.cut()
    await until(() => !bridge.status().connected, 'the loss to be noticed')
    await leader.publishAsync('pioreactor/u1/exp/stirring/target_rpm/set', '600', { qos: 1 })
    cable.mend()
    await until(async () => {
      await leader.publishAsync(LAST, 'now', { qos: 1 })
      return imported(unit).includes(`${LAST} now`)
    }, 'the bridge to listen')
    expect([...new Set(imported(unit))]).toEqual([
      'pioreactor/u1/$experiment/assignment {"experiment":"exp"} (retained)',
      `${LAST} now`,
    ])
    expect(imported(unit).filter((line) => line.includes('assignment'))).toHaveLength(1)
  })
})

it('two units that are bridged to each other each carry an order to everybody out once, and no message goes round', async () => {
  const one = await startTestBroker()
  const other = await startTestBroker({ unit: 'u2', names: ['u2'] })
  await Promise.all([bridgeFrom(one, 'u1', other.port), bridgeFrom(other, 'u2', one.port)])
  const leader = await connect(one, { username: 'leader', password: 'leads' })
  const line = 'pioreactor/leader/exp/logs/app/info'
  await until(async () => {
    await leader.publishAsync('pioreactor/u2/exp/job/last/set', 'hello', { qos: 1 })
    return imported(other).length > 0
  }, 'the bridges to listen')
  await leader.publishAsync('pioreactor/$broadcast/exp/stirring/$state/set', 'sleeping', { qos: 1 })
  await leader.publishAsync(line, 'said once', { qos: 1 })
  await leader.publishAsync('pioreactor/u2/exp/job/last/set', 'end', { qos: 1 })
  await until(() => imported(other).at(-1)?.endsWith('end') === true, 'the last message')
  expect(imported(other).filter((text) => !text.includes('/job/last/set'))).toEqual([
    'pioreactor/u2/exp/stirring/$state/set sleeping',
    `${line} said once`,
  ])
  // It came back by way of the other unit once, and was not passed on again.
  await eventually(() => expect(imported(one)).toEqual([`${line} said once`]))
})

it('the own broker of a unit is not its peer', async () => {
  const unit = await startTestBroker()
  const bridge = startBridgeFrom(unit, 'u1', unit.port)
  await eventually(() => expect(bridge.status().reason).toBe("the peer is this unit's own broker"))
})
