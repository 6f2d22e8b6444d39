import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import mqtt from 'mqtt'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openDoors } from '../../../cli/doors.js'
import { makeHome } from '../../../cli/home.js'
import { startBrokerSide, startLog } from '../../../cli/parts.js'
import { runServices } from '../../../cli/run-services.js'
import { createClock } from '../../../clock.js'
import { readConfig } from '../../../config.js'
import { catalogueOf } from '../../../events/catalogue.js'
import type { PayloadOf } from '../../../events/core/define-event.js'
import { outcomeEvent } from '../../../events/system/outcomes.js'
import { asyncApi } from '../../../http-gateway/async-api/document.js'
import { instruments } from '../../../instruments.js'
import { createDeferred } from '../../../services/runtime/deferred.js'
import { driveOutputsSafe } from '../../../services/runtime/safe-state.js'
import type { Hardware } from '../../../services/transport/hardware.js'
import { serialPorts } from '../../../services/transport/serial-port.js'
import { createInProcessHardware } from '../../../simulation/in-process-hardware.js'
import { VirtualBench } from '../../../simulation/virtual-bench.js'
import { withoutPty } from '../../services/potentiostat/virtual-devices.js'
import { eventually } from '../../support/eventually.js'
import { silentLogger } from '../../support/silent-logger.js'
import { temporaryDirectory } from '../../support/temporary-directory.js'
import { massEvent, tareCommand } from './events.js'
import { BALANCE_USB, balance } from './instrument.js'
import { decodeReply, encodeMass } from './sics.codec.js'
import { VirtualBalance } from './virtual-balance.js'

const HERE = `${process.cwd()}/test/instruments/balance`

test('the page about adding an instrument shows what is compiled and run here', () => {
  const page = readFileSync(`${process.cwd()}/docs/add-an-instrument.md`, 'utf8')
  const shown = [...page.matchAll(/^```ts\n([\s\S]*?)\n```$/gm)].flatMap(([, code = '']) => code.split('\n\nexport '))
  const files = readdirSync(HERE).map((name) => readFileSync(`${HERE}/${name}`, 'utf8'))
  expect(shown.length).toBeGreaterThan(5)
  expect(shown.filter((code) => !files.some((text) => text.includes(code)))).toEqual([])
})

/** The one line. */
const LISTED = [...instruments, balance]

const UNIT = 'u1'
const env = (home: string) => ({
  ...{ BENCHLOG_HOME: home, UNIT_NAME: UNIT, HTTP_PORT: '0', MQTT_PORT: '0', MQTT_WS_PORT: '0' },
  BALANCE_INTERVAL_S: '0.1',
})

describe('the protocol', () => {
  test.each([
    ['S S    100.120 g', { kind: 'mass', mass: 100.12, isStable: true }],
    ['S D     -0.004 g', { kind: 'mass', mass: -0.004, isStable: false }],
    ['TI S     2.5 kg', { kind: 'mass', mass: 2500, isStable: true }],
    ['S +', { kind: 'overload' }],
    ['S -', { kind: 'underload' }],
    ['S I', { kind: 'busy' }],
    ['I4 A "B021002593"', { kind: 'identity', serialNumber: 'B021002593' }],
    ['S S    100.120 oz', { kind: 'unreadable', line: 'S S    100.120 oz' }],
    ['ES', { kind: 'unreadable', line: 'ES' }],
  ])('%s', (line, reply) => expect(decodeReply(line)).toEqual(reply))

  test('gives back every mass it can write', () =>
    fc.assert(
      fc.property(fc.integer({ min: -999_999, max: 999_999 }), fc.boolean(), (milligrams, isStable) => {
        const mass = milligrams / 1000
        expect(decodeReply(encodeMass('S', mass, isStable))).toEqual({ kind: 'mass', mass: mass + 0, isStable })
      }),
    ))
})

test('its topics are in the AsyncAPI document of a unit that has it', () => {
  const { channels } = asyncApi([], catalogueOf(LISTED)) as { channels: Record<string, unknown> }
  expect(Object.keys(channels)).toEqual(
    expect.arrayContaining(['balance.mass', 'system.commands.tare_balance', 'potentiostat.run_id.order']),
  )
})

test('a setting of the instrument is read and checked with the others', () => {
  expect(readConfig({}, LISTED).instruments['balance']).toEqual({ BALANCE_INTERVAL_S: 1 })
  expect(() => readConfig({ BALANCE_INTERVAL_S: '0' }, LISTED)).toThrow('BALANCE_INTERVAL_S is 0')
})

describe.skipIf(withoutPty)('a balance in the list of instruments', () => {
  const endings: (() => Promise<unknown>)[] = []
  let twin: VirtualBalance
  let hardware: Hardware
  let client: mqtt.MqttClient
  let messages: { readonly topic: string; readonly text: string }[]
  let stopServices: () => Promise<boolean>

  beforeEach(async () => {
    const home = temporaryDirectory()
    twin = new VirtualBalance(join(home, 'dev', 'ttyUSB0'))
    endings.push(() => twin.unplug())
    const board = createInProcessHardware(new VirtualBench({ clock: createClock(), seed: 1 }))
    const list = async () =>
      existsSync(twin.link) ? [{ path: twin.link, usb: BALANCE_USB, serialNumber: 'B021002593' }] : []
    hardware = { ...board, serial: { list, open: serialPorts.open } }

    const config = readConfig(env(home), LISTED)
    makeHome(config)
    const clock = createClock()
    const log = await startLog(config, clock, silentLogger)
    endings.push(() => log.stop())
    const doors = await openDoors(config, silentLogger)
    const broker = await startBrokerSide(config, clock, silentLogger, log, doors, LISTED)
    endings.push(() => broker.stop())
    client = await mqtt.connectAsync(`mqtt://127.0.0.1:${broker.port}`, { protocolVersion: 4 })
    endings.push(() => client.endAsync(true))
    messages = []
    client.on('message', (topic, payload) => messages.push({ topic, text: payload.toString() }))
    await client.subscribeAsync(['balance/#', 'system/#'], { qos: 1 })

    await twin.plug()
    const end = createDeferred()
    const ended = runServices({ config, instruments: LISTED, hardware, logger: silentLogger, end: end.promise })
    stopServices = () => {
      end.resolve()
      return ended
    }
    endings.push(stopServices)
  })
  afterEach(async () => {
    for (const ending of endings.splice(0).reverse()) await ending()
  })

  const masses = (): readonly PayloadOf<typeof massEvent>[] =>
    messages.flatMap(({ topic, text }) =>
      massEvent.levels(topic) === null || text === '' ? [] : [massEvent.parse(text)],
    )
  const reads = (mass: number | null, quality: string): Promise<void> =>
    eventually(() => expect(masses().at(-1)).toMatchObject({ mass, quality }))
  const stateOf = (part: string): unknown =>
    JSON.parse(messages.findLast(({ topic }) => topic === `system/${UNIT}/services/${part}`)?.text ?? 'null')

  /** Commands are answered from then on. */
  const ready = (): Promise<void> =>
    eventually(() =>
      expect(messages.findLast(({ topic }) => topic === `system/${UNIT}/service`)?.text).toContain('ready'),
    )

  async function tare(id: string): Promise<unknown> {
    await ready()
    await client.publishAsync(tareCommand.topic({ unit: UNIT }), tareCommand.encode(id, {}), { qos: 1 })
    const topic = outcomeEvent.topic({ unit: UNIT, id })
    await eventually(() => expect(messages.map((message) => message.topic)).toContain(topic))
    return JSON.parse(messages.find((message) => message.topic === topic)?.text ?? '')
  }

  test('reports masses with unit and quality, and is tared by a command', async () => {
    await reads(0, 'stable')
    expect(stateOf('balance')).toMatchObject({ state: 'ready' })
    twin.load = 12.5
    await reads(12.5, 'stable')
    twin.isStable = false
    await reads(12.5, 'moving')
    twin.isStable = true
    expect(await tare('t-1')).toMatchObject({ accepted: true, result: { tare: 12.5 } })
    await reads(0, 'stable')
    twin.load = 500
    await reads(null, 'overload')
    expect(await tare('t-2')).toMatchObject({ accepted: false, error: { code: 'balance.not_tared' } })
  })

  test('is told once when it is pulled out, refuses commands, and works again when it is back', async () => {
    await reads(0, 'stable')
    await twin.unplug()
    await reads(null, 'absent')
    expect(await tare('t-1')).toMatchObject({ accepted: false, error: { code: 'balance.absent' } })
    twin.load = 3
    await twin.plug()
    await reads(3, 'stable')
    expect(masses().filter(({ quality }) => quality === 'absent')).toHaveLength(1)
  })

  test('owns its topics: an outside client may read, but not publish there', async () => {
    await reads(0, 'stable')
    await client.publishAsync(`balance/${UNIT}/mass`, 'forged', { qos: 1 })
    await eventually(() =>
      expect(messages.find(({ topic }) => topic === `system/${UNIT}/refusals`)?.text).toContain(
        'topics outside pioreactor/, potentiostat/, balance/ and system/',
      ),
    )
    expect(messages.map(({ text }) => text)).not.toContain('forged')
  })

  test('is made safe before the start, at the stop and by safe-state; its last reading does not outlive it', async () => {
    await reads(0, 'stable')
    expect(twin.cancelled).toBe(1)
    expect(await stopServices()).toBe(true)
    expect(twin.cancelled).toBe(2)
    await eventually(() =>
      expect(messages.findLast(({ topic }) => topic === massEvent.topic({ unit: UNIT }))?.text).toBe(''),
    )
    expect(stateOf('balance')).toMatchObject({ state: 'stopped' })
    expect(await driveOutputsSafe(hardware, LISTED)).toEqual({
      safe: true,
      done: expect.arrayContaining(['pwm', 'leds', 'potentiostats', 'balances', `balance ${twin.link}`]),
      failed: [],
    })
    expect(twin.cancelled).toBe(3)
  })
})
