import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { jobDefinitions } from '../../../../services/bioreactor/index.js'
import { type BioreactorLab, MemoryStore, startBioreactorLab } from '../../../support/bioreactor-lab.js'

/** The job as the bus sees it: readings and doses in, growth rates out. Nothing else of the unit runs. */

let lab: BioreactorLab
let store: MemoryStore
beforeEach(async () => {
  store = new MemoryStore()
  lab = await startBioreactorLab({ store })
})
afterEach(async () => {
  await lab.service.stop()
  lab.close()
})

interface Light {
  readonly ir_led_intensity?: number
  readonly calibration_name?: string
  readonly quality?: 'clamped'
}

/** One reading every 5 s, the OD of each given. */
async function read(ods: readonly number[], { ir_led_intensity = 80, calibration_name, quality }: Light = {}) {
  for (const od of ods) {
    await lab.clock.advance(5000)
    const timestamp = lab.clock.now().toISOString()
    const scale =
      calibration_name === undefined
        ? { calibrated: 0 }
        : { calibrated: 1, calibration_name, ...(quality && { quality }) }
    const reading = { timestamp, angle: '90', od, channel: '2', ir_led_intensity, ...scale }
    await publish('od_reading/ods', JSON.stringify({ timestamp, ods: { 2: reading } }))
  }
}

async function publish(path: string, payload: string, retain = false): Promise<void> {
  await lab.context.bus.publish(`pioreactor/u1/exp/${path}`, payload, { retain })
  await lab.clock.advance(0)
}

const dose = (event: string, volume_change: number, more = {}): Promise<void> => {
  const timestamp = lab.clock.now().toISOString()
  return publish('dosing_events', JSON.stringify({ volume_change, event, source_of_event: null, timestamp, ...more }))
}

/** A culture that stands still, with 0.4 % of scatter. */
const steady = (count: number, level = 0.2): number[] =>
  Array.from({ length: count }, (_, index) => level * (1 + 0.002 * ((index * 7) % 5) - 0.004))
const SETTLED = 15

const given = (path: string): Record<string, unknown>[] =>
  lab
    .published(`growth_rate_calculating/${path}`)
    .filter((text) => text !== '')
    .map((text) => JSON.parse(text) as Record<string, unknown>)
const filtered = (): number[] => given('od_filtered').map(({ od_filtered }) => od_filtered as number)
const messages = (level: string): string[] =>
  lab.published(`logs/app/${level}`).map((text) => (JSON.parse(text) as { message: string }).message)
const restart = async (): Promise<void> => {
  await lab.set('growth_rate_calculating', '$state', 'disconnected')
  await lab.clock.advance(2000)
  await lab.run('growth_rate_calculating')
}

describe('statistics', () => {
  test('are gathered with progress in the log; then every reading gives a rate with its own time', async () => {
    expect(await lab.run('growth_rate_calculating')).toMatchObject({ status: 'succeeded' })
    expect(messages('warning')).toEqual([expect.stringContaining('od_reading does not run')])
    await read(steady(SETTLED))
    expect(filtered()).toEqual([])
    await read(steady(1))
    expect(messages('info')).toEqual([
      'Ready.',
      'Statistics: 1 of 10 readings.',
      'Statistics: 5 of 10 readings.',
      'The statistics are complete; the growth rate follows with the next reading.',
    ])
    const timestamp = lab.clock.now().toISOString()
    expect(given('growth_rate')).toEqual([{ growth_rate: expect.any(Number) as unknown, timestamp }])
    expect(given('od_filtered')).toEqual([{ od_filtered: expect.closeTo(1, 2) as unknown, timestamp }])
    const [{ state, covariance_matrix } = {}] = given('kalman_filter_outputs')
    expect(state).toEqual([
      expect.closeTo(Math.log(filtered()[0] ?? 0), 12),
      given('growth_rate')[0]?.['growth_rate'],
      expect.any(Number),
    ])
    expect(covariance_matrix).toHaveLength(3)
    expect(lab.broker.published.find(({ topic }) => topic.endsWith('kalman_filter_outputs'))?.retain).toBe(false)
  })

  test('take as many readings as the configuration says, and a warning when that takes ten minutes', async () => {
    const option = ['growth_rate_calculating.config', 'samples_for_od_statistics']
    await lab.run('growth_rate_calculating', {}, { config_overrides: [[...option, '3']] })
    await read(steady(9))
    expect(filtered()).toHaveLength(1)
    await lab.set('growth_rate_calculating', '$state', 'disconnected')
    await lab.clock.advance(2000)
    await lab.run('growth_rate_calculating', {}, { config_overrides: [[...option, '120']] })
    expect(messages('warning')).toContainEqual(expect.stringContaining('600 s'))
  })

  test.each([
    ['growth_rate_calculating.config', 'samples_for_od_statistics', '0'],
    ['growth_rate_calculating.config', 'samples_for_od_statistics', '1e9'],
    ['growth_rate_calculating.config', 'ekf_outlier_std_threshold', '2'],
    ['od_reading.config', 'samples_per_second', '0'],
  ])('[%s] %s = %s is refused by name', async (...override) => {
    const task = await lab.run('growth_rate_calculating', {}, { config_overrides: [override] })
    expect(JSON.stringify(task['error'])).toContain(override[1])
  })

  test('begin anew with a dose, but not with waste', async () => {
    await lab.run('growth_rate_calculating')
    await read(steady(12))
    await dose('remove_waste', 1)
    await read(steady(2))
    await dose('add_media', 0.5)
    await read(steady(2))
    expect(filtered()).toEqual([])
    await read(steady(9))
    expect(filtered()).toHaveLength(1)
  })

  test('of an OD that is not positive end the job with the reason', async () => {
    await lab.run('growth_rate_calculating')
    await read([...steady(10), -0.01, ...steady(4)])
    await lab.clock.advance(2000)
    expect(lab.published('growth_rate_calculating/$state').at(-1)).toBe('disconnected')
    expect(messages('error')).toEqual([expect.stringContaining('OD must be positive')])
  })
})

describe('messages', () => {
  test('that are retained, empty or not as declared change nothing; the last are told of once', async () => {
    await publish('od_reading/ods', '{"old":true}', true)
    await lab.run('growth_rate_calculating')
    await read(steady(SETTLED))
    await publish('od_reading/ods', '')
    for (let time = 0; time < 3; time++) {
      await publish('od_reading/ods', 'nonsense')
      await publish('dosing_events', '{}')
      await publish('bioreactor/current_volume_ml', 'much')
    }
    await read(steady(3))
    expect(filtered()).toHaveLength(3)
    expect(messages('warning').slice(1)).toEqual([
      expect.stringContaining('A reading was left out'),
      expect.stringContaining('A dosing event was left out'),
      expect.stringContaining('A volume was left out'),
    ])
  })

  test('one reading at or below zero is left out, and the next counts', async () => {
    await lab.run('growth_rate_calculating')
    await read([...steady(SETTLED), 0, -1, ...steady(2)])
    expect(filtered()).toHaveLength(2)
    expect(lab.published('growth_rate_calculating/$state').at(-1)).toBe('ready')
  })

  test('readings at the end of their calibration give values that say so', async () => {
    await lab.run('growth_rate_calculating')
    await read(steady(SETTLED + 1), { calibration_name: 'c1' })
    await read([0.21], { calibration_name: 'c1', quality: 'clamped' })
    expect(given('growth_rate').map(({ quality }) => quality)).toEqual([undefined, 'clamped'])
    expect(given('od_filtered').map(({ quality }) => quality)).toEqual([undefined, 'clamped'])
  })

  test('another light is another culture: what counts as 1 is learned for each, and known when it comes back', async () => {
    await lab.run('growth_rate_calculating')
    await read(steady(SETTLED + 1))
    await read(steady(SETTLED + 1, 0.05), { ir_led_intensity: 40 })
    expect(filtered().at(-1)).toBeCloseTo(1, 1)
    await read(steady(SETTLED + 1, 0.4))
    expect(filtered()).toHaveLength(3)
    expect(filtered().at(-1)).toBeCloseTo(2, 1)
  })
})

describe('doses', () => {
  test('of a known volume are expected: the filtered OD follows, the rate does not', async () => {
    await publish('bioreactor/current_volume_ml', '15', true)
    await lab.run('growth_rate_calculating')
    await read(steady(200))
    await dose('add_media', 1)
    await read(steady(1, (0.2 * 15) / 16))
    expect(filtered().at(-1)).toBeCloseTo(15 / 16, 2)
    expect(Math.abs(given('growth_rate').at(-1)?.['growth_rate'] as number)).toBeLessThan(0.03)
  })

  test.each([
    ['of a vial whose volume nobody keeps', {}],
    ['that are told late', { timestamp: '2026-01-02T03:04:05.000Z' }],
  ])('%s loosen the filter, and the OD follows within two readings', async (_, more) => {
    await lab.run('growth_rate_calculating')
    await read(steady(200))
    await dose('add_media', 1, more)
    await read(steady(2, 0.15))
    expect(filtered().at(-1)).toBeCloseTo(0.75, 1)
  })

  test('into a measuring glass do not concern the vial', async () => {
    await lab.run('growth_rate_calculating')
    await read(steady(12))
    await dose('add_media', 1, { source_of_event: 'pump_calibration' })
    await read(steady(4))
    expect(filtered()).toHaveLength(1)
  })
})

describe('what is kept', () => {
  test('lets a restart go on at once', async () => {
    await lab.run('growth_rate_calculating')
    await read(steady(100))
    await restart()
    await read(steady(1))
    expect(filtered()).toHaveLength(86)
    expect(messages('info')).toContain('The filter goes on where it was kept.')
  })

  test('an hour later serves for what counts as 1 only', async () => {
    await lab.run('growth_rate_calculating')
    await read(steady(100))
    await lab.clock.advance(3_600_000)
    await restart()
    await read(steady(10, 0.4))
    expect(filtered()).toHaveLength(85)
    await read(steady(1, 0.4))
    expect(filtered().at(-1)).toBeCloseTo(2, 1)
  })

  test.each([
    ['by another version', { version: 2, secret: true }],
    ['and cannot be read', { version: 1, optics: '2/90/80/raw-0', state: { filter: 'none' } }],
  ])('%s is no obstacle', async (_, value) => {
    await lab.run('growth_rate_calculating')
    await read(steady(SETTLED + 1))
    await lab.set('growth_rate_calculating', '$state', 'disconnected')
    await lab.clock.advance(2000)
    await store.write('growth_rate_state', 'exp', value)
    await lab.run('growth_rate_calculating')
    await read(steady(SETTLED + 1))
    expect(filtered()).toHaveLength(2)
  })

  test.each([
    ['between two runs', true],
    ['while the job runs, which goes on until its end as it was', false],
  ])('is forgotten by clear_cache: %s', async (_, stopped) => {
    await lab.run('growth_rate_calculating')
    await read(steady(50))
    if (stopped) {
      await lab.set('growth_rate_calculating', '$state', 'disconnected')
      await lab.clock.advance(2000)
    }
    expect(await lab.run('growth_rate_calculating clear_cache')).toMatchObject({ status: 'succeeded' })
    await lab.clock.advance(2000)
    if (!stopped) {
      await read(steady(1))
      await lab.set('growth_rate_calculating', '$state', 'disconnected')
      await lab.clock.advance(2000)
    }
    await lab.run('growth_rate_calculating')
    const before = filtered().length
    await read(steady(SETTLED, 0.4))
    expect(filtered()).toHaveLength(before)
    await read(steady(1, 0.4))
    expect(filtered().at(-1)).toBeCloseTo(1, 1)
  })
})

test('a pause is a gap, which the filter bridges', async () => {
  await lab.run('growth_rate_calculating')
  await read(steady(100))
  await lab.set('growth_rate_calculating', '$state', 'sleeping')
  await read(steady(20, 0.22))
  expect(filtered()).toHaveLength(85)
  await lab.set('growth_rate_calculating', '$state', 'ready')
  await read(steady(1, 0.22))
  expect(filtered().at(-1)).toBeCloseTo(1.1, 1)
})

test('the capabilities are those of a Pioreactor', () => {
  const entry = (name: string) => {
    const found = jobDefinitions.find((definition) => definition.name === name)?.capability('u1')
    return { arguments: found?.arguments, options: found?.options, published_settings: found?.published_settings }
  }
  const none = { arguments: [], options: [] }
  expect(entry('growth_rate_calculating')).toEqual({
    ...none,
    published_settings: {
      $state: { datatype: 'string', settable: true },
      growth_rate: { datatype: 'GrowthRate', settable: false, unit: 'h⁻¹' },
      od_filtered: { datatype: 'ODFiltered', settable: false },
    },
  })
  expect(entry('growth_rate_calculating clear_cache')).toEqual({ ...none, published_settings: {} })
})
