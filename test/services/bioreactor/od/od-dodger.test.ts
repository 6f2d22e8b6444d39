import { afterEach, describe, expect, test } from 'vitest'
import { createRandom } from '../../../../simulation/random.js'
import { type BioreactorLab, startBioreactorLab } from '../../../support/bioreactor-lab.js'
import { FakeAdc } from '../../../support/fake-bioreactor.js'
import type { FakeClock } from '../../../support/fake-clock.js'
import { LitBioreactor } from '../../../support/lit-bioreactor.js'

const STIRRING_PIN = 17

/** A converter that takes its time. */
class SlowAdc extends FakeAdc {
  readonly #clock: () => FakeClock
  readonly #ms: () => number

  constructor(clock: () => FakeClock, ms: () => number) {
    super('ads1114', () => 0.1)
    this.#clock = clock
    this.#ms = ms
  }

  override async readRaw(): Promise<number> {
    const clock = this.#clock()
    await clock.sleepUntil(clock.monotonicMs() + this.#ms())
    return super.readRaw()
  }
}

let lab: BioreactorLab<LitBioreactor> | undefined
afterEach(async () => {
  const stopped = lab?.service.stop()
  // A conversion under way ends with the clock.
  await lab?.clock.advance(1000)
  await stopped
  lab?.close()
  lab = undefined
})

/** A bar that stands still while optical density is read, every 20 s. */
async function start(conversionMs: () => number) {
  const bioreactor = new LitBioreactor(createRandom(1))
  bioreactor.adcs.set('2', new SlowAdc(() => started.clock, conversionMs))
  const started = await startBioreactorLab({ bioreactor })
  lab = started
  /** @returns for how long light and motor were on together, s */
  const turn = async (seconds: number): Promise<number> => {
    let together = 0
    for (let step = 0; step < seconds * 20; step++) {
      await bioreactor.turn(started.clock, 50)
      if (bioreactor.leds.state.A > 0 && (bioreactor.duty.get(STIRRING_PIN) ?? 0) > 0) together += 0.05
    }
    return together
  }
  for (const [job, options] of [
    ['od_reading', { interval: 20 }],
    ['stirring', { enable_dodging_od: true, target_rpm_during_od_reading: 0 }],
  ] as const) {
    const id = await started.begin(job, options)
    while (started.task(id)['status'] === 'running') await turn(0.1)
  }
  const durations = (): number[] => started.published('od_reading/reading_duration').map(Number)
  return { ...started, turn, durations }
}

describe('stirring around optical readings', () => {
  test('waits for their measured end: readings of four seconds are not stirred', async () => {
    const { turn, durations, published } = await start(() => 100)
    await turn(21)
    expect(durations()).toEqual([4.2])
    expect(await turn(100)).toBe(0)
    expect(published('stirring/target_rpm').filter((text) => text === '500').length).toBeGreaterThanOrEqual(5)
  })

  test('follows readings that begin to last longer, and loses no turn over it', async () => {
    let ms = 0
    const { turn, durations, published } = await start(() => ms)
    await turn(41)
    expect(durations()).toEqual([0.6])
    ms = 60
    // The first of them is a surprise.
    await turn(24)
    expect(durations()).toEqual([0.6, 2.6])
    const turns = (): number => published('stirring/target_rpm').filter((text) => text === '500').length
    const before = turns()
    expect(await turn(60)).toBe(0)
    expect(turns() - before).toBe(3)
    ms = 0
    await turn(120)
    expect(durations()).toEqual([0.6, 2.6, 0.6])
  })

  test('follows a new interval and its phase', async () => {
    const { turn, set, published } = await start(() => 20)
    await turn(33)
    await set('od_reading', 'interval', '30')
    // The reading that begins with the order finds the bar turning.
    await turn(31)
    const readings = published('od_reading/ods').length
    expect(await turn(120)).toBe(0)
    expect(published('od_reading/ods').length - readings).toBe(4)
    expect(published('stirring/target_rpm').filter((text) => text === '500').length).toBeGreaterThanOrEqual(4)
  })

  test('stirs on at one speed where readings leave no time, says so, and dodges again once they do', async () => {
    const { turn, set, published } = await start(() => 20)
    await turn(33)
    await set('od_reading', 'interval', '2')
    await turn(20)
    expect(published('logs/app/error').filter((text) => text.includes('they are not dodged'))).toHaveLength(1)
    expect(published('stirring/currently_dodging_od').at(-1)).toBe('False')
    expect(published('stirring/target_rpm').at(-1)).toBe('500')
    expect(published('stirring/$state').at(-1)).toBe('ready')
    await set('od_reading', 'interval', '20')
    await turn(60)
    expect(published('stirring/currently_dodging_od').at(-1)).toBe('True')
  })

  test('keeps out of their way although the motor did not follow when they began', async () => {
    const { turn, set, bioreactor, published } = await start(() => 20)
    await turn(25)
    await set('stirring', 'enable_dodging_od', '0')
    await turn(3)
    bioreactor.deafTo = 1
    await set('stirring', 'enable_dodging_od', '1')
    expect(bioreactor.duty.get(STIRRING_PIN)).toBeGreaterThan(0)
    await turn(6)
    expect(published('stirring/currently_dodging_od').at(-1)).toBe('True')
    await turn(20)
    expect(await turn(60)).toBe(0)
  })

  test('stirs on at one speed where the speed cannot be measured between readings', async () => {
    const { turn, set, published } = await start(() => 20)
    await turn(33)
    // Two delays and a reading fit into it, two measurements of the speed do not.
    await set('od_reading', 'interval', '4')
    await turn(60)
    expect(published('logs/app/warning').filter((text) => text.includes('took until the next one'))).toHaveLength(1)
    expect(published('logs/app/error').filter((text) => text.includes('they are not dodged'))).toHaveLength(1)
    expect(published('stirring/currently_dodging_od').at(-1)).toBe('False')
    expect(published('stirring/$state').at(-1)).toBe('ready')
  })
})

describe('the warm-up of od_reading', () => {
  test('goes from 0 to 1 as the first reading loses its weight, and begins anew at another intensity', async () => {
    const { turn, set, published } = await start(() => 0)
    const steps = (): number[] => published('od_reading/warm_up').map(Number)
    await turn(20 * 13)
    expect(steps()[0]).toBe(0)
    expect(steps()).toEqual(steps().toSorted((one, other) => one - other))
    expect(steps().at(-1)).toBe(1)
    expect(steps()).toHaveLength(13)
    await set('od_reading', 'ir_led_intensity', '60')
    expect(steps().at(-1)).toBe(0)
    await turn(20)
    expect(steps().at(-1)).toBe(0.08)
  })
})
