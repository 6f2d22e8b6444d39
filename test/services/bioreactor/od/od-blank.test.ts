import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createRandom } from '../../../../simulation/random.js'
import { type BioreactorLab, MemoryStore, startBioreactorLab } from '../../../support/bioreactor-lab.js'
import { LitBioreactor } from '../../../support/lit-bioreactor.js'

let bioreactor: LitBioreactor
let lab: BioreactorLab<LitBioreactor>
let store: MemoryStore
beforeEach(async () => {
  bioreactor = new LitBioreactor(createRandom(3))
  bioreactor.od = 0.02
  store = new MemoryStore()
  lab = await startBioreactorLab({ bioreactor, store })
})
afterEach(async () => {
  await lab.service.stop()
  lab.close()
})

const turn = (seconds: number): Promise<void> => bioreactor.turn(lab.clock, seconds * 1000)
/** A grace of a second passes before a start counts, with the bar turning. */
async function run(job: string, options = {}): Promise<Record<string, unknown>> {
  const id = await lab.begin(job, options)
  for (let waited = 0; lab.task(id)['status'] === 'running' && waited < 30; waited++) await turn(0.1)
  return lab.task(id)
}
/** Lets the bar turn until it is so. Jobs read files as they start, which takes real time, so that no span of virtual time is enough by itself. */
async function turnUntil(isSo: () => boolean): Promise<void> {
  for (let seconds = 0; !isSo(); seconds++) {
    if (seconds === 2000) throw new Error('It never came to that.')
    await turn(1)
  }
}
const stateOf = (job: string, experiment = 'exp') =>
  lab.published(`${job}/$state`, experiment).findLast((text) => text !== '')
const ended = (): Promise<void> => turnUntil(() => stateOf('od_blank') === 'disconnected')

const means = (): unknown[] => lab.published('od_blank/means').map((text) => (text === '' ? null : JSON.parse(text)))
const messages = (level: string): string[] =>
  lab.published(`logs/app/${level}`).map((text) => (JSON.parse(text) as { message: string }).message)
const retained = (prefix: string): string[] =>
  [...lab.broker.retained.keys()].filter((topic) => topic.startsWith(prefix))

describe('a blank', () => {
  test('is measured with the bar turning, kept, published with its angle, and leaves nothing else behind', async () => {
    expect(await run('od_blank', { n_samples: 10 })).toMatchObject({ status: 'succeeded' })
    await turnUntil(() => stateOf('od_reading', '_testing_exp') === 'ready')
    expect(bioreactor.duty.get(17)).toBeGreaterThan(10)
    await ended()
    expect(means()).toEqual([{ 2: expect.closeTo(0.02, 3) as unknown }])
    expect(JSON.parse(lab.published('od_blank/mean/2')[0] ?? '')).toMatchObject({
      calibrated: 0,
      angle: '90',
      channel: '2',
      od: expect.closeTo(0.02, 3) as unknown,
    })
    expect(lab.published('od_blank/$state')).toEqual(['init', 'ready', 'disconnected'])
    expect(messages('info')).toContain('Blank: 10 of 10 readings.')
    await turn(1)
    expect(retained('pioreactor/u1/_testing_exp/')).toEqual([])
    expect(bioreactor.duty.get(17) ?? 0).toBe(0)
    expect(bioreactor.leds.state.A).toBe(0)
    await run('od_reading')
    await turn(6)
    const { od } = JSON.parse(lab.published('od_reading/od2').at(-1) ?? '') as { od: number }
    expect(Math.abs(od)).toBeLessThan(0.001)
  })

  test('leaves a bar alone that turns already', async () => {
    await run('stirring', { target_rpm: 400 })
    await run('od_blank', { n_samples: 5 })
    await ended()
    expect(means()).toHaveLength(1)
    expect(lab.published('stirring/$state').at(-1)).toBe('ready')
    expect(lab.published('stirring/$state', '_testing_exp').filter((text) => text !== '')).toEqual([])
  })

  test('goes on with a warning when the bar does not turn', async () => {
    bioreactor.stalled = true
    await run('od_blank', { n_samples: 5 })
    await ended()
    expect(messages('warning')).toContainEqual(expect.stringContaining('has not come to 500 RPM'))
    expect(means()).toHaveLength(1)
  })

  test('is refused while od_reading runs, which goes on', async () => {
    await run('od_reading')
    const { error } = await run('od_blank')
    expect(JSON.stringify(error)).toContain('od_reading runs')
    expect(lab.published('od_reading/$state').at(-1)).toBe('ready')
  })

  test.each([4, 1001])('of %i readings is refused by name', async (n_samples) => {
    expect(JSON.stringify((await run('od_blank', { n_samples }))['error'])).toContain('n_samples')
  })

  test('that is stopped in the middle changes nothing, and its jobs end with it', async () => {
    await run('od_blank')
    await turnUntil(() => stateOf('od_reading', '_testing_exp') === 'ready')
    await lab.set('od_blank', '$state', 'disconnected')
    await turn(5)
    expect(means()).toEqual([])
    expect(bioreactor.duty.get(17) ?? 0).toBe(0)
    expect(bioreactor.leds.state.A).toBe(0)
    expect(retained('pioreactor/u1/_testing_exp/')).toEqual([])
    expect(messages('error')).toEqual([])
  })

  test('whose process dies is not taken up in parts', async () => {
    await run('od_blank')
    await turnUntil(() => stateOf('od_reading', '_testing_exp') === 'ready')
    const resumeJobs = ['stirring', 'od_reading']
    const next = await startBioreactorLab({ broker: lab.broker, resumeJobs })
    expect(next.connections).toEqual([])
    await next.service.stop()
    next.close()
  })

  test('of a calibrated photodiode says that od_reading takes one or the other', async () => {
    lab.calibrations.set('od90', {
      calibration_type: 'od600',
      calibrated_on_pioreactor_unit: 'u1',
      created_at: '2026-01-02T03:04:05Z',
      x: 'OD600',
      y: 'Voltage',
      calibration_name: 'c1',
      curve_data_: { type: 'poly', coefficients: [0.1, 0] },
      recorded_data: { x: [0, 2], y: [0, 0.2] },
      ir_led_intensity: 80,
      angle: '90',
      pd_channel: '2',
    })
    await run('od_blank', { n_samples: 5 })
    await ended()
    expect(messages('warning')).toContainEqual(expect.stringContaining("calibrated by 'c1'"))
    expect(means()).toEqual([{ 2: expect.closeTo(0.2, 2) as unknown }])
  })
})

describe('od_blank delete', () => {
  test('forgets the blank of the experiment it is told, and clears its topics', async () => {
    await run('od_blank', { n_samples: 5 })
    await ended()
    expect(retained('pioreactor/u1/exp/od_blank/m')).toHaveLength(2)
    await run('od_blank delete', { experiment: 'other' })
    await turnUntil(() => messages('info').includes("'other' had no blank."))
    expect(retained('pioreactor/u1/exp/od_blank/m')).toHaveLength(2)
    expect(messages('info')).toContain("'other' had no blank.")
    await run('od_blank delete')
    await turnUntil(() => messages('info').includes("The blank of 'exp' is forgotten."))
    await turn(1)
    expect(retained('pioreactor/u1/exp/od_blank/m')).toEqual([])
    await run('od_reading')
    await turn(6)
    const { od } = JSON.parse(lab.published('od_reading/od2').at(-1) ?? '') as { od: number }
    expect(od).toBeCloseTo(0.02, 3)
  })

  test('is meant by its argument, too, as on a command line; what follows that is its own', async () => {
    await lab.store.write('od_blank', 'exp', { 2: 0.01 })
    expect(await lab.run('od_blank', {}, { args: ['delete'] })).toMatchObject({ status: 'succeeded' })
    await turnUntil(() => messages('info').includes("The blank of 'exp' is forgotten."))
    expect(lab.published('od_reading/$state', '_testing_exp')).toEqual([])
  })

  test('of a name that cannot be one is refused', async () => {
    expect(JSON.stringify((await run('od_blank delete', { experiment: 'a/b' }))['error'])).toContain('experiment')
  })
})
