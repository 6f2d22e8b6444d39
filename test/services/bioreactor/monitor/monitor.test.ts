// Longer than 300 lines: one job, everything that it does.

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { stopJobsCommand } from '../../../../events/system/commands.js'
import { addressesOf, type Machine } from '../../../../services/bioreactor/monitor/machine.js'
import { type BioreactorLab, startBioreactorLab } from '../../../support/bioreactor-lab.js'
import { eventually } from '../../../support/eventually.js'
import { FakeBioreactor } from '../../../support/fake-bioreactor.js'
import { give } from '../../../support/give.js'

const LED_PIN = 23
const BUTTON_PIN = 4
const UNIT = '$experiment'

const healthy = (): { -readonly [K in keyof Machine]: Machine[K] } => ({
  cores: 4,
  freeDiskGib: async () => 12.3456,
  cpuTemperatureC: async () => 51.6,
  network: () => ({ ipv4: '10.0.0.7', wlan: 'aa:bb:cc:dd:ee:ff', eth: 'Not available' }),
  webServerAnswers: async () => true,
})

let lab: BioreactorLab
let machine: ReturnType<typeof healthy>
let bioreactor: FakeBioreactor
beforeEach(() => {
  machine = healthy()
  bioreactor = new FakeBioreactor()
})
afterEach(async () => {
  const stopped = lab.service.stop()
  await lab.clock.advance(10_000)
  await stopped
  lab.close()
})

async function start(overrides: string[][] = []): Promise<void> {
  lab = await startBioreactorLab({ bioreactor, machine, residents: overrides.length === 0 })
  if (overrides.length > 0) await lab.run('monitor', {}, { config_overrides: overrides })
  await lab.clock.advance(0)
}
const published = (setting: string): string[] => lab.published(`monitor/${setting}`, UNIT)
const last = (setting: string): unknown => JSON.parse(published(setting).at(-1) ?? 'null')
const warnings = (): string[] =>
  lab.published('logs/app/warning', UNIT).map((text) => (JSON.parse(text) as { message: string }).message)
/** How often the LED was switched on so far. */
const flashes = (): number => bioreactor.lines.filter(({ pin, high }) => pin === LED_PIN && high).length
/** Beside the answer that it gives at its start. */
const IDENTIFIED = 8
const order = (name: string, payload: string, unit = 'u1', experiment = UNIT): Promise<void> =>
  lab.context.bus.publish(`pioreactor/${unit}/${experiment}/monitor/${name}`, payload)

describe('monitor', () => {
  test('starts with the services, belongs to the unit, and publishes what an inventory needs', async () => {
    await start()
    await lab.clock.advance(6000)
    expect(published('$state').slice(0, 2)).toEqual(['init', 'ready'])
    const text = (name: string): string | undefined =>
      lab.broker.retained.get(`pioreactor/u1/${UNIT}/monitor/${name}`)?.toString()
    expect(text('button_down')).toBe('False')
    expect(last('versions')).toEqual({
      app: '26.7.2',
      hat: '1.2',
      firmware: '0.4',
      hat_serial: 'serial',
      rpi_machine: 'Raspberry Pi',
      timestamp: expect.stringMatching(/\.\d{3}Z$/) as unknown,
    })
    expect(last('computer_statistics')).toEqual({
      available_disk_space: 12.35,
      cpu_temperature_celcius: 52,
      timestamp: '2026-01-02T03:04:10.000Z',
    })
    expect(last('voltage_on_pwm_rail')).toEqual({ timestamp: '2026-01-02T03:04:10.000Z', voltage: 5 })
    expect([text('ipv4'), text('wlan_mac_address'), text('eth_mac_address')]).toEqual([
      '10.0.0.7',
      'aa:bb:cc:dd:ee:ff',
      'Not available',
    ])
    expect(lab.published('logs/app/notice', UNIT).join()).toContain('u1 is online')
    expect(warnings()).toEqual([])
    const record = [...lab.broker.retained].find(([topic, payload]) => {
      return topic.startsWith('system/u1/jobs/') && payload.toString().includes('"monitor"')
    })
    expect(JSON.parse(String(record?.[1]))).toMatchObject({ experiment: UNIT, is_long_running_job: true })
  })

  test('versions that nobody knows are empty', async () => {
    Object.assign(bioreactor, {
      identity: { ...bioreactor.identity, hat: null, hatSerialNumber: '', computer: '' },
      readFirmwareVersion: () => Promise.reject(new Error('no answer')),
    })
    await start()
    await lab.clock.advance(6000)
    expect(last('versions')).toMatchObject({ hat: '', firmware: '', hat_serial: '', rpi_machine: '' })
  })

  test.each<[string, () => void, string, number]>([
    [
      'the network',
      () => Object.assign(machine, { network: () => ({ ...healthy().network(), ipv4: '127.0.0.1' }) }),
      'network',
      1,
    ],
    ['room on the disk', () => Object.assign(machine, { freeDiskGib: async () => 2.99 }), '2.99 GiB', 3],
    ['cooling', () => Object.assign(machine, { cpuTemperatureC: async () => 80.6 }), '81 °C', 6],
    ['volts', () => Object.assign(bioreactor, { railVolts: 4.8, underVoltage: true }), '4.80 V', 7],
  ])('a lack of %s is told in the log and by the LED', async (_, lack, message, code) => {
    lack()
    await start()
    await lab.clock.advance(60_000)
    expect(warnings()).toEqual([expect.stringContaining(message)])
    expect(flashes()).toBe(IDENTIFIED + 1 + code)
  })

  test('a low rail with a supply that the kernel finds well is no problem', async () => {
    Object.assign(bioreactor, { railVolts: 4.7, underVoltage: false })
    await start()
    await lab.clock.advance(60_000)
    expect(warnings()).toEqual([])
  })

  test('what cannot be checked keeps nothing else back', async () => {
    machine.freeDiskGib = () => Promise.reject(new Error('the disk is gone'))
    bioreactor.hatPresent = false
    await start()
    await lab.clock.advance(60_000)
    expect(warnings()).toEqual([expect.stringContaining('the disk is gone'), expect.stringContaining('HAT')])
    expect(published('voltage_on_pwm_rail')).toHaveLength(1)
    expect(published('$state').at(-1)).toBe('ready')
  })

  test('without a line to LED and button the rest is watched', async () => {
    bioreactor.linesBroken = true
    await start()
    await lab.clock.advance(6000)
    expect(warnings()).toEqual([expect.stringContaining('LED')])
    expect(published('ipv4')).toEqual(['10.0.0.7'])
  })

  test.each([
    [[], 12 * 3600, 2],
    [[['monitor.config', 'self_check_interval_hours', '2']], 2 * 3600, 2],
    [[['monitor.config', 'self_check_interval_hours', '0']], 24 * 3600, 1],
  ])('checks as often as the configuration %j says', async (overrides, seconds, times) => {
    await start(overrides)
    await lab.clock.advance(6000)
    expect(published('ipv4')).toHaveLength(1)
    await lab.clock.advance(seconds * 1000)
    expect(published('ipv4')).toHaveLength(times)
  })

  test.each(['u1', '$broadcast'])('blinks for %s and says that it is there; one pattern at a time', async (unit) => {
    await start()
    await lab.clock.advance(30_000)
    const states = published('$state').length
    await order('flicker_led_response_okay', '1', unit, 'exp')
    await order('flicker_led_response_okay', '1', unit, 'exp')
    await lab.clock.advance(30_000)
    expect(flashes()).toBe(2 * IDENTIFIED)
    expect(published('$state').slice(states)).toEqual(['ready'])
  })

  test('blinks the code that a job asks for, and none that nobody could count', async () => {
    await start()
    await lab.clock.advance(30_000)
    await order('flicker_led_with_error_code', '4', 'u1', 'exp')
    await lab.clock.advance(30_000)
    expect(flashes()).toBe(IDENTIFIED + 1 + 4)
    for (const code of ['many', '1e9', '0', '2.5']) await order('flicker_led_with_error_code', code)
    await lab.clock.advance(30_000)
    expect(flashes()).toBe(IDENTIFIED + 1 + 4)
  })

  test('blinks 2 as long as the broker is away, asleep or not, ends dark, and tells it afterwards', async () => {
    await start()
    await lab.clock.advance(30_000)
    lab.broker.setConnected(false)
    await lab.service.suspend('the broker is gone')
    await lab.clock.advance(8250 + 2000)
    expect(flashes()).toBe(IDENTIFIED + 1 + 2)
    await lab.clock.advance(30_000)
    expect(flashes()).toBeGreaterThanOrEqual(IDENTIFIED + 3 * 3)
    lab.broker.setConnected(true)
    await lab.service.resume()
    await lab.clock.advance(10_000)
    const before = flashes()
    await lab.clock.advance(30_000)
    expect(flashes()).toBe(before)
    expect(bioreactor.lines.at(-1)).toEqual({ pin: LED_PIN, high: false })
    expect(warnings().filter((message) => message === 'The broker cannot be reached.')).toHaveLength(1)
  })

  test('a web server that does not answer is told in the log and by the LED; one that nobody announced is none', async () => {
    const asked: string[] = []
    machine.webServerAnswers = async (url) => {
      asked.push(url)
      return false
    }
    await start()
    await lab.clock.advance(60_000)
    expect([asked, warnings()]).toEqual([[], []])
    const url = 'http://127.0.0.1:8000'
    await lab.context.bus.publish(
      'system/u1/web_server',
      JSON.stringify({ url, timestamp: '2026-01-02T03:04:05.000Z' }),
    )
    const before = flashes()
    await lab.clock.advance(12 * 3600_000)
    expect([asked, warnings()]).toEqual([[url], [`The web server of the unit does not answer at ${url}.`]])
    expect(flashes() - before).toBe(1 + 8)
  })

  test('ended in the middle of a pattern, the LED is dark', async () => {
    await start()
    await lab.clock.advance(30_000)
    await order('flicker_led_with_error_code', '8')
    await lab.clock.advance(1000)
    expect(bioreactor.lines.at(-1)).toEqual({ pin: LED_PIN, high: true })
    await lab.set('monitor', '$state', 'disconnected', UNIT)
    await lab.clock.advance(100)
    expect(bioreactor.lines.at(-1)).toEqual({ pin: LED_PIN, high: false })
  })

  test('the button is told, and lights the LED', async () => {
    await start()
    await lab.clock.advance(30_000)
    const before = flashes()
    bioreactor.drive(BUTTON_PIN, true)
    await lab.clock.advance(30)
    expect([published('button_down').at(-1), flashes(), published('$state').slice(-2)]).toEqual([
      'True',
      before + 1,
      ['ready', 'ready'],
    ])
    bioreactor.drive(BUTTON_PIN, false)
    await lab.clock.advance(30)
    expect(published('button_down').at(-1)).toBe('False')
    expect(bioreactor.lines.at(-1)).toEqual({ pin: LED_PIN, high: false })
  })

  test.each([
    [1, [], false],
    [1, [['monitor.config', 'enable_button', 'true']], true],
    [4, [['monitor.config', 'enable_button', 'false']], false],
  ])('with %i cores and %j the button is watched: %s', async (cores, overrides, watched) => {
    Object.assign(machine, { cores })
    await start(overrides)
    bioreactor.drive(BUTTON_PIN, true)
    await lab.clock.advance(30)
    expect(published('button_down').includes('True')).toBe(watched)
  })

  test('an order changes the versions it names, of those there are', async () => {
    await start()
    await lab.set('monitor', 'versions', '{"app":"27.1.0","colour":"red"}', UNIT)
    expect(last('versions')).toMatchObject({ app: '27.1.0', hat: '1.2' })
    expect(last('versions')).not.toHaveProperty('colour')
    const before = published('versions').length
    await lab.set('monitor', 'versions', '{"app":7}', UNIT)
    await lab.set('monitor', 'versions', 'newest', UNIT)
    expect(published('versions')).toHaveLength(before)
    expect(published('versions/set/outcome').at(-1)).toContain('"accepted":false')
  })

  test('pauses, wakes, stops; a start that names an experiment belongs to the unit all the same', async () => {
    await start()
    await lab.set('monitor', '$state', 'sleeping', UNIT)
    await lab.clock.advance(24 * 3600_000)
    expect(published('ipv4')).toEqual([])
    await lab.set('monitor', '$state', 'ready', UNIT)
    await lab.clock.advance(12 * 3600_000)
    expect(published('ipv4')).toHaveLength(1)
    await lab.set('monitor', '$state', 'disconnected', UNIT)
    await lab.clock.advance(10_000)
    expect(published('$state').at(-1)).toBe('disconnected')
    expect(published('versions').at(-1)).toBe('')
    expect(await lab.run('monitor')).toMatchObject({ status: 'succeeded' })
    expect(published('$state').at(-1)).toBe('ready')
    expect(lab.published('monitor/$state')).toEqual([])
    expect(await lab.run('monitor')).toMatchObject({ error: { details: { code: 'job.duplicate' } } })
  })

  test('comes back to ready by itself when the broker does, and answers again', async () => {
    await start()
    await lab.clock.advance(30_000)
    await lab.service.suspend('the broker is gone')
    expect(published('$state').at(-1)).toBe('sleeping')
    await lab.service.resume()
    await lab.clock.advance(0)
    expect(published('$state').at(-1)).toBe('ready')
    await order('flicker_led_response_okay', '1')
    await lab.clock.advance(10_000)
    expect(flashes()).toBe(2 * IDENTIFIED)
  })

  test('what it logs while the broker is away is told afterwards, with the time it happened', async () => {
    await start()
    await lab.clock.advance(30_000)
    lab.broker.setConnected(false)
    Object.assign(machine, { freeDiskGib: async () => 1 })
    await lab.clock.advance(12 * 3600_000)
    expect(warnings()).toEqual([])
    lab.broker.setConnected(true)
    await eventually(async () => {
      await lab.clock.advance(1000)
      expect(warnings()).toEqual(['The broker cannot be reached.', expect.stringContaining('1.00 GiB')])
    })
    expect(lab.published('logs/app/warning', UNIT).at(0)).toContain('2026-01-02T03:04:37.000Z')
    expect(lab.published('logs/app/warning', UNIT).at(1)).toContain('2026-01-02T15:04:10.000Z')
  })

  test('is left alone when all jobs are stopped', async () => {
    await start()
    await give(lab.service, stopJobsCommand, { all: true }, 'stop')
    await lab.clock.advance(0)
    expect(published('$state').at(-1)).toBe('ready')
  })
})

test('addresses are joined by kind', () => {
  const one = (address: string, mac: string, internal = false) =>
    ({ address, mac, internal, family: 'IPv4', netmask: '', cidr: null }) as const
  expect(
    addressesOf({
      lo: [one('127.0.0.1', '00:00:00:00:00:00', true)],
      eth0: [one('10.0.0.7', 'aa:00:00:00:00:01'), one('10.0.0.8', 'aa:00:00:00:00:01')],
      wlan0: [one('192.168.1.4', 'aa:00:00:00:00:02')],
    }),
  ).toEqual({ ipv4: '10.0.0.7, 10.0.0.8, 192.168.1.4', eth: 'aa:00:00:00:00:01', wlan: 'aa:00:00:00:00:02' })
  expect(addressesOf({})).toEqual({ ipv4: '127.0.0.1', eth: 'Not available', wlan: 'Not available' })
})
