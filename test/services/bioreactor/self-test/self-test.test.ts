// Longer than 300 lines: one job on one bench, every test that it makes and all that can come between.

import { afterEach, describe, expect, test } from 'vitest'
import { parseFault } from '../../../../simulation/bioreactor/faults.js'
import { MemoryStore, startBioreactorLab } from '../../../support/bioreactor-lab.js'
import { FakeBioreactor } from '../../../support/fake-bioreactor.js'
import { startVialLab, type VialLab } from '../../../support/vial-lab.js'

const NAMES = [
  'test_pioreactor_HAT_present',
  'test_all_positive_correlations_between_pds_and_leds',
  'test_ambient_light_interference',
  'test_dark_offset_correction_is_effective',
  'test_REF_is_lower_than_0_dot_256_volts',
  'test_REF_is_in_correct_position',
  'test_PD_is_near_0_volts_for_blank',
  'test_detect_heating_pcb',
  'test_positive_correlation_between_temperature_and_heating',
  'test_positive_correlation_between_rpm_and_stirring',
  'test_aux_power_is_not_too_high',
] as const

type Lab = VialLab & { readonly turn: (seconds: number) => Promise<void> }

const ends: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const end of ends.splice(0)) await end()
})

/** A unit with clean medium in its vial. */
async function start(options: Parameters<typeof startVialLab>[0] = {}, more: Parameters<typeof startVialLab>[1] = {}) {
  const lab = await startVialLab({ culture: { od: 0.01 }, ...options }, more)
  ends.push(lab.end)
  const turn = async (seconds: number): Promise<void> => {
    for (let tenths = 0; tenths < 10 * seconds; tenths++) {
      await lab.clock.advance(100)
      lab.bench.reportEdges()
    }
  }
  return { ...lab, turn }
}

const stateOf = (lab: Lab): string | undefined => lab.published('self_test/$state', '$experiment').at(-1)
const last = (lab: Lab, setting: string): string | undefined =>
  lab.published(`self_test/${setting}`, '$experiment').at(-1)
const results = (lab: Lab) => Object.fromEntries(NAMES.map((name) => [name, last(lab, name)]))
const findings = (lab: Lab) =>
  JSON.parse(last(lab, 'findings') ?? '{}') as Record<string, { readonly result: string; readonly found: string }>
const messages = (lab: Lab, level: string): string[] =>
  lab.published(`logs/app/${level}`, '$experiment').map((text) => (JSON.parse(text) as { message: string }).message)
const driven = ({ bench: { outputs } }: Lab) => [...Object.values(outputs.pwm), ...Object.values(outputs.leds)]
const dark = (lab: Lab): void => expect(driven(lab).every((value) => value === 0)).toBe(true)

async function turnUntil(lab: Lab, isSo: () => boolean): Promise<void> {
  for (let seconds = 0; !isSo(); seconds++) {
    if (seconds === 600) throw new Error('It never came to that.')
    await lab.turn(1)
  }
}

/** Runs it to its end. */
async function runAll(lab: Lab, options: Record<string, unknown> = {}): Promise<void> {
  await lab.begin('self_test', options)
  await turnUntil(lab, () => stateOf(lab) === 'disconnected')
}

describe('the self test', () => {
  test('of a unit that is well passes every test, says so, and leaves everything off', async () => {
    const lab = await start()
    await runAll(lab)
    expect(Object.values(findings(lab)).filter(({ result }) => result !== 'passed')).toEqual([])
    expect(results(lab)).toEqual(Object.fromEntries(NAMES.map((name) => [name, '1'])))
    expect(last(lab, 'all_tests_passed')).toBe('1')
    expect(JSON.parse(last(lab, 'correlations_between_pds_and_leds') ?? '')).toEqual([
      ['IR', 'REF'],
      ['IR', '90'],
    ])
    expect(lab.published('self_test/$state', '$experiment')).toEqual(['init', 'ready', 'disconnected'])
    expect(messages(lab, 'notice')).toContain('11 tests run, none failed.')
    dark(lab)
  }, 60_000)

  test('tells the results in the order of the tests, each retained beyond the end, and clears those of before', async () => {
    const lab = await start()
    await runAll(lab, { k: 'HAT' })
    const from = lab.broker.published.length
    await runAll(lab)
    const told = lab.broker.published
      .slice(from)
      .filter(({ topic }) => topic.includes('/self_test/test_'))
      .map(({ topic, payload }) => `${topic.split('/').at(-1)}=${payload.toString()}`)
    expect(told.slice(0, 11)).toEqual(NAMES.map((name) => `${name}=`))
    expect(told.slice(11)).toEqual(NAMES.map((name) => `${name}=1`))
    for (const name of NAMES) {
      expect(lab.broker.retained.get(`pioreactor/u1/$experiment/self_test/${name}`)?.toString()).toBe('1')
    }
  }, 60_000)

  // Each fault as it is injected on a bench: the test that is to find it, and what it tells to look at.
  test.each([
    [['led_burnt_out', 'A'], NAMES[1], /No photodiode sees the light: check the IR LED/],
    [['stuck', 'pd2'], NAMES[1], /photodiode 2 \(90°\): correlation 0,.*Check that the photodiode is plugged in/],
    [['unplugged', 'pd1'], NAMES[1], /0x/],
    [['ambient_light'], NAMES[2], /REF photodiode \(1\): 0\.1.*Put the cap on/],
    [['led_burnt_out', 'A'], NAMES[4], /REF photodiode \(1\) shows 0\.00.*Check the IR LED, its cable/],
    [['photodiodes_swapped'], NAMES[5], /configured as REF \(channel 1\) seems to look at the vial/],
    [['photodiodes_swapped'], NAMES[6], /Photodiode 2 \(90°\) shows 0\.\d+ V.*with a culture in it/],
    [['unplugged', 'heater_board'], NAMES[7], /The heater board does not answer\..*check its cable/],
    [['unplugged', 'heater_board'], NAMES[8], /The heater board does not answer/],
    [['stuck', 'heater_board'], NAMES[8], /does not get warmer as it is heated.*supply of the heater/],
    [
      ['stirrer_stalled'],
      NAMES[5],
      /does not turn: nothing counts its turns, and no photodiode sees.*nothing holds it/,
    ],
    [['stirrer_stalled'], NAMES[9], /does not turn.*nothing holds it/],
  ] as const)('finds %j by %s', async (fault, name, words) => {
    const lab = await start()
    lab.bench.setFault(parseFault(fault))
    await runAll(lab, { k: name })
    expect(last(lab, name)).toBe('0')
    expect(last(lab, 'all_tests_passed')).toBe('0')
    expect(findings(lab)[name]).toEqual({ result: 'failed', found: expect.stringMatching(words) })
    expect(messages(lab, 'warning')).toContainEqual(expect.stringMatching(words))
    dark(lab)
  })

  test('a fault of one part leaves the tests of the others alone', async () => {
    const lab = await start()
    lab.bench.setFault(parseFault(['stirrer_stalled']))
    await runAll(lab)
    const failed = NAMES.filter((name) => last(lab, name) === '0')
    expect(failed).toEqual([NAMES[5], NAMES[9]])
  }, 60_000)

  test('where REF sits can be told without a Hall sensor: that the bar turns is seen', async () => {
    const lab = await start()
    Object.assign(lab.bioreactor.gpio, { watchFalling: async () => async () => undefined })
    await runAll(lab, { k: 'test_REF_is_in_correct_position' })
    expect(last(lab, NAMES[5])).toBe('1')
    await runAll(lab, { k: 'rpm_and_stirring' })
    expect(last(lab, NAMES[9])).toBe('0')
  })

  test('with a culture in the vial says that it wants medium without cells', async () => {
    const lab = await start({ culture: { od: 1 } })
    await runAll(lab, { k: 'blank' })
    expect(findings(lab)[NAMES[6]]?.found).toMatch(/with a culture in it, it fails/)
  })

  test.each([
    [NAMES[0], /Switch off, press the HAT/],
    [NAMES[10], /gives 24\.0 V; at most 18 V.*Unplug it at once/],
    [NAMES[9], /gives 24\.0 V; at most 18 V/],
  ] as const)(
    '%s fails where there is no HAT and the supply is too strong; no motor is set turning with it',
    async (name, words) => {
      const bioreactor = new FakeBioreactor()
      bioreactor.hatPresent = false
      bioreactor.railVolts = 24
      const lab = await startBioreactorLab({ bioreactor })
      ends.push(async () => {
        await lab.service.stop()
        lab.close()
      })
      await lab.run('self_test', { k: name })
      const { found } = (
        JSON.parse(lab.published('self_test/findings', '$experiment').at(-1) ?? '{}') as Record<
          string,
          { found: string }
        >
      )[name] ?? { found: '' }
      expect(found).toMatch(words)
      expect(bioreactor.writes.filter(({ value }) => value > 0)).toEqual([])
    },
  )
})

describe('which tests run', () => {
  test('those with `k` in their name, and then those that failed last', async () => {
    const lab = await start()
    lab.bench.setFault(parseFault(['unplugged', 'heater_board']))
    await runAll(lab, { k: 'heating' })
    expect(Object.keys(findings(lab))).toEqual([NAMES[7], NAMES[8]])
    expect(last(lab, 'all_tests_passed')).toBe('0')
    lab.bench.clearFault()
    await runAll(lab, { k: 'HAT' })
    // What failed before stands until it is tested again.
    expect(last(lab, 'all_tests_passed')).toBe('0')
    await runAll(lab, { retry_failed: null })
    expect(Object.keys(findings(lab))).toEqual([NAMES[7], NAMES[8]])
    expect(last(lab, 'all_tests_passed')).toBe('1')
    await runAll(lab, { retry_failed: true })
    expect(messages(lab, 'notice').at(-1)).toMatch(/there is nothing to repeat/)
  })

  test('a `k` that is in no name is refused with the names there are, and nothing is cleared', async () => {
    const lab = await start()
    await runAll(lab, { k: 'HAT' })
    await lab.begin('self_test', { k: 'warp' })
    await lab.turn(2)
    expect(JSON.stringify(lab.task('request-2')['error'])).toContain("k is 'warp'")
    expect(last(lab, NAMES[0])).toBe('1')
  })
})

describe('a self test beside other work', () => {
  test.each([
    ['stirring', {}],
    ['od_reading', {}],
    ['temperature_automation', { automation_name: 'only_record_temperature' }],
    ['led_automation', { automation_name: 'silent' }],
    ['dosing_automation', { automation_name: 'silent' }],
  ])('is refused while %s runs, which goes on', async (job, options) => {
    const lab = await start()
    await lab.run(job, options)
    expect(JSON.stringify((await lab.run('self_test'))['error'])).toContain(`${job} runs; stop it`)
    expect(lab.published(`${job}/$state`).at(-1)).toBe('ready')
    expect(lab.published('self_test/findings', '$experiment')).toEqual([])
  })

  test('is refused while another self test runs, which goes on; and so is od_reading', async () => {
    const lab = await start()
    await lab.run('self_test')
    expect(JSON.stringify((await lab.run('self_test'))['error'])).toContain('self_test runs')
    expect(JSON.stringify((await lab.run('od_reading'))['error'])).toContain('self_test runs')
    await turnUntil(lab, () => last(lab, 'all_tests_passed') === '1')
  }, 60_000)

  test('that is asked for twice at once runs once', async () => {
    const lab = await start()
    const ids = await Promise.all([lab.begin('self_test', { k: 'heating' }), lab.begin('self_test', { k: 'heating' })])
    await turnUntil(lab, () => ids.every((id) => lab.task(id)['status'] !== 'running'))
    expect(ids.map((id) => lab.task(id)['status']).sort()).toEqual(['failed', 'succeeded'])
  })

  test('leaves lamps as they were', async () => {
    const lab = await start()
    await lab.run('led_intensity', { B: 30 })
    await runAll(lab, { k: 'ambient' })
    expect(last(lab, NAMES[2])).toBe('1')
    expect(lab.bench.outputs.leds['B']).toBeCloseTo(30, 0)
  })
})

describe('a self test that is interrupted', () => {
  const isLit = (lab: Lab): boolean => (lab.bench.outputs.leds['A'] ?? 0) > 0
  const drives = (pin: string) => (lab: Lab) => (lab.bench.outputs.pwm[pin] ?? 0) > 0

  test.each([
    ['lighting', {}, isLit],
    ['stirring', { k: 'rpm' }, drives('17')],
    ['heating', { k: 'heating' }, drives('18')],
  ] as const)('while %s: everything is off at once, and what has not run says so', async (_, options, isAt) => {
    const lab = await start()
    await lab.begin('self_test', options)
    await turnUntil(lab, () => isAt(lab))
    await lab.set('self_test', '$state', 'disconnected', '$experiment')
    dark(lab)
    await lab.turn(5)
    dark(lab)
    expect(stateOf(lab)).toBe('disconnected')
    const left = Object.entries(findings(lab)).flatMap(([name, { result }]) => (result === 'not_run' ? [name] : []))
    expect(left.length).toBeGreaterThan(0)
    expect(messages(lab, 'warning')).toContain(`Interrupted; not run: ${left.join(', ')}.`)
    for (const name of left) expect(last(lab, name)).toBe('')
    expect(last(lab, 'all_tests_passed')).toBe('')
    expect(messages(lab, 'error')).toEqual([])
  })

  test('by a kill: the next life finds what has not run told as such, and can begin anew', async () => {
    const store = new MemoryStore()
    const lab = await start({}, { store })
    await lab.begin('self_test')
    await turnUntil(lab, () => last(lab, NAMES[2]) === '1')
    const next = await startBioreactorLab({ broker: lab.broker, store })
    ends.push(async () => {
      await next.service.stop()
      next.close()
    })
    const retained = (setting: string): string | undefined =>
      next.broker.retained.get(`pioreactor/u1/$experiment/self_test/${setting}`)?.toString()
    expect(retained(NAMES[2])).toBe('1')
    expect(retained(NAMES[10])).toBeUndefined()
    expect(retained('all_tests_passed')).toBeUndefined()
    expect(JSON.parse(retained('findings') ?? '{}')).toMatchObject({ [NAMES[10]]: { result: 'not_run' } })
    await next.run('self_test', { k: 'HAT' })
    expect(retained(NAMES[0])).toBe('1')
  })

  test('by a part that never answers: the test fails after three minutes and the next one runs', async () => {
    const bioreactor = new FakeBioreactor()
    bioreactor.isHatPresent = () => new Promise<never>(() => undefined)
    const lab = await startBioreactorLab({ bioreactor })
    ends.push(async () => {
      await lab.service.stop()
      lab.close()
    })
    await lab.begin('self_test', { k: 'present' })
    await lab.clock.advance(181_000)
    const { found } = (
      JSON.parse(lab.published('self_test/findings', '$experiment').at(-1) ?? '{}') as Record<string, { found: string }>
    )[NAMES[0]] ?? { found: '' }
    expect(found).toMatch(/did not end within 180 s/)
  })
})
