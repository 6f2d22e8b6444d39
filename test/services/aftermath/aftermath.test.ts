import { describe, expect, test } from 'vitest'
import { aftermathsOf } from '../../../cli/service-parts.js'
import { matchesFilter } from '../../../events/topic.js'
import { instruments } from '../../../instruments.js'
import { type Aftermath, aftermath } from '../../../services/aftermath/aftermath.js'
import type { SafeStateResult } from '../../../services/runtime/safe-state-result.js'
import { capabilityOfStirring, deviceRecord, orderOf, pastJob, slotState } from '../../support/past-records.js'

const AT = '2026-01-02T03:00:00.000Z'
const NOW = '2026-01-02T09:00:00.000Z'

/** What is retained after the corrections, and everything they published, by topic. */
async function afterwards(world: Readonly<Record<string, unknown>>, of: Partial<Aftermath> = {}) {
  const texts = new Map(
    Object.entries(world).map(([topic, value]) => [topic, typeof value === 'string' ? value : JSON.stringify(value)]),
  )
  const correct = () =>
    aftermath(
      async (filters) =>
        [...texts].flatMap(([topic, text]) =>
          filters.some((filter) => matchesFilter(filter, topic)) ? [{ topic, text }] : [],
        ),
      { unit: 'u1', death: { at: AT, now: NOW }, gatewayToo: true, outputs: null, ...of },
      aftermathsOf(instruments),
    )
  const corrections = await correct()
  for (const { topic, payload, retain } of corrections) {
    if (retain && payload !== '') texts.set(topic, payload)
    if (retain && payload === '') texts.delete(topic)
  }
  // Said once: what has been corrected is true.
  expect(await correct()).toEqual([])
  const said = (topic: string): unknown[] =>
    corrections.filter((one) => one.topic === topic).map(({ payload }) => JSON.parse(payload) as unknown)
  return { texts, said, json: (topic: string): unknown => JSON.parse(texts.get(topic) ?? 'null') }
}

describe('who speaks on this broker', () => {
  const running = {
    'stirring/$state': 'ready',
    'stirring/target_rpm': '500',
    'pwms/dc': '{"17": 30}',
    'leds/intensity': '{"A":80}',
  }
  const of = (unit: string): Record<string, string> =>
    Object.fromEntries(Object.entries(running).map(([rest, text]) => [`pioreactor/${unit}/exp/${rest}`, text]))

  test('and is another unit lives on: nothing it said is corrected', async () => {
    const world = { ...of('worker2'), 'system/u1/capabilities/jobs/stirring': capabilityOfStirring }
    const { texts } = await afterwards(world, {
      outputs: { id: 'a', at: Date.parse(AT), safe: true, done: ['pwm', 'leds'], failed: [] },
    })
    for (const [topic, text] of Object.entries(of('worker2'))) expect(texts.get(topic)).toBe(text)
  })

  test('and is this unit under a former name is dead', async () => {
    const state = 'pioreactor/former/exp/stirring/$state'
    const { texts } = await afterwards({
      ...of('former'),
      'system/former/jobs/1': pastJob({ unit: 'former', experiment: 'exp', job_name: 'stirring' }),
    })
    expect(texts.get(state)).toBe('lost')
  })
})

describe('a dose that a death broke off', () => {
  const LIQUID = 'system/u1/liquids/exp'
  const liquid = {
    volume_ml: 15,
    efflux_tube_volume_ml: 15,
    composition: { media: 1 },
    added_ml: {},
    removed_ml: 0,
    spilled_ml: 0,
  }
  const pumping = { event: 'add_media', source_of_event: 'CLI', since: AT, left_ml: 1, ml_per_s: 0.1 }
  const account = { liquid, capacity_ml: 20, pumping: [pumping], timestamp: AT }
  const safe = (at: number): SafeStateResult => ({ id: 'a', at, safe: true, done: ['pwm'], failed: [] })

  interface Case {
    readonly afterMs: number
    readonly speed?: number
    readonly left_ml?: number
    readonly ml_per_s?: number
  }
  test.each<readonly [string, Case, number]>([
    ['until safe-state switched the pump off', { afterMs: 2000 }, 0.2],
    ['also beyond what was ordered, for nobody ended it', { afterMs: 9999, left_ml: 0.3 }, 0.9999],
    ['but not when it may have stood by itself', { afterMs: 2000, left_ml: 0.05 }, 0.05],
    ['and nothing by a result of another occasion', { afterMs: 3_600_000 }, 0],
    [
      'in the time of a unit that is sixty times as fast',
      { afterMs: 120_000, speed: 60, left_ml: 20, ml_per_s: 0.01 },
      1.2,
    ],
  ])('is entered %s', async (_, { afterMs, speed = 1, ...more }, ml) => {
    const { said, json } = await afterwards(
      { [LIQUID]: { ...account, pumping: [{ ...pumping, ...more }] } },
      { outputs: safe(Date.parse(AT) + afterMs), death: { at: AT, now: NOW, speed } },
    )
    const told = ml === 0 ? [] : [expect.objectContaining({ event: 'add_media', source_of_event: 'CLI' }) as unknown]
    expect(said('pioreactor/u1/exp/dosing_events')).toEqual(told)
    expect(json(LIQUID)).toMatchObject({ pumping: [], liquid: { volume_ml: expect.closeTo(15 + ml, 6) as number } })
    if (ml > 0) expect(json('pioreactor/u1/exp/bioreactor/current_volume_ml')).toBeCloseTo(15 + ml, 6)
  })

  test('waits until it is known that the outputs are off', async () => {
    const { json } = await afterwards({ [LIQUID]: account })
    expect(json(LIQUID)).toMatchObject({ pumping: [{ left_ml: 1 }] })
  })
})

describe('jobs', () => {
  const STIRRING = 'pioreactor/u1/exp/stirring'

  test('that lived are lost, their settings cleared and an alarm raised', async () => {
    const { texts, json, said } = await afterwards({
      'system/u1/capabilities/jobs/stirring': capabilityOfStirring,
      'system/u1/jobs/7': pastJob({ job_id: 7 }),
      [`${STIRRING}/$state`]: 'ready',
      [`${STIRRING}/duty_cycle`]: '30',
      [`${STIRRING}/kept`]: 'on purpose',
    })
    expect(json('system/u1/jobs/7')).toMatchObject({
      is_running: false,
      ended_at: AT,
      state: 'lost',
      interrupted: true,
    })
    expect(texts.get(`${STIRRING}/$state`)).toBe('lost')
    expect(texts.has(`${STIRRING}/duty_cycle`)).toBe(false)
    expect(texts.get(`${STIRRING}/kept`)).toBe('on purpose')
    expect(said('pioreactor/u1/exp/logs/app/error')).toMatchObject([
      { task: 'stirring', level: 'ERROR', timestamp: NOW },
    ])
  })

  test('whose will was faster are ended all the same, with one alarm', async () => {
    const { json, said } = await afterwards({
      'system/u1/jobs/7': pastJob({ job_id: 7 }),
      [`${STIRRING}/$state`]: 'lost',
    })
    expect(json('system/u1/jobs/7')).toMatchObject({ is_running: false, state: 'lost' })
    expect(said('pioreactor/u1/exp/logs/app/error')).toHaveLength(1)
  })

  test('that ended cleanly are left as they are, and so is what belongs to no job', async () => {
    const world = {
      'system/u1/capabilities/jobs/stirring': capabilityOfStirring,
      'system/u1/jobs/7': pastJob({ job_id: 7, is_running: false, state: 'disconnected', ended_at: AT }),
      [`${STIRRING}/$state`]: 'disconnected',
      'pioreactor/u1/exp/bioreactor/current_volume_ml': '14.2',
      'pioreactor/u1/exp/unknown_job/setting': '1',
    }
    expect([...(await afterwards(world)).texts.keys()]).toEqual(Object.keys(world))
  })

  test('what cannot be read claims nothing', async () => {
    await afterwards({ 'system/u1/jobs/7': '{"job_id":', 'system/u1/service': 'null', 'system/u1/tasks/t': '[]' })
  })
})

describe('the services and their tasks', () => {
  const task = (status: string) => ({ task_id: 't', name: 'run_job', status, timestamp: AT })

  test.each(['starting', 'ready', 'suspended'])('%s becomes lost', async (state) => {
    const record = { state, hardware: 'simulated', reason: null, timestamp: AT }
    const { json } = await afterwards({ 'system/u1/service': record })
    expect(json('system/u1/service')).toMatchObject({ state: 'lost', hardware: 'simulated', timestamp: AT })
  })

  test.each([
    ['running', true, 'failed'],
    ['pending', true, 'failed'],
    ['running', false, 'failed'],
    ['pending', false, 'pending'],
    ['succeeded', true, 'succeeded'],
  ])('a task that is %s (the gateway died too: %s) is %s', async (status, gatewayToo, expected) => {
    const { json } = await afterwards({ 'system/u1/tasks/t': task(status) }, { gatewayToo })
    expect(json('system/u1/tasks/t')).toMatchObject({ status: expected })
  })

  test('a task that waits in the services for its lock ends with them, although the gateway lives', async () => {
    const waiting = { ...task('pending'), lock: 'scale-lock', waits_for_lock: true }
    const { json } = await afterwards({ 'system/u1/tasks/t': waiting }, { gatewayToo: false })
    expect(json('system/u1/tasks/t')).toMatchObject({ status: 'failed', error: { code: 'task.interrupted' } })
    expect(json('system/u1/tasks/t')).not.toHaveProperty('waits_for_lock')
  })

  test('an upload under way is queued', async () => {
    const upload = { run_id: 'r', status: 'uploading', attempts: 1, next_attempt_at: null, reason: null, timestamp: AT }
    const { json } = await afterwards({ 'potentiostat/A/r/upload': upload })
    expect(json('potentiostat/A/r/upload')).toMatchObject({ status: 'queued', attempts: 1 })
  })
})

describe('runs', () => {
  const order = orderOf('r', ['slot01', 'slot02', 'slot03', 'slot04'])
  const samples = { mode_index: 0, first: 100, first_sample: 1000, timestamp: '2026-01-02T02:59:50.000Z' }
  const zeros = [0, 0, 0, 0, 0]
  const world = {
    'potentiostat/A/r/order': order,
    'potentiostat/A/r/progress': { progress_pct: 37, remaining_s: 50, slots: {}, timestamp: AT },
    'potentiostat/A/r/slot01/state': slotState('slot01', 'running'),
    'potentiostat/A/r/slot01/samples': { ...samples, current: zeros, potential: zeros },
    'potentiostat/A/r/slot02/state': slotState('slot02', 'queued', { started_at: null }),
    'potentiostat/A/r/slot03/state': slotState('slot03', 'done', { ended_at: AT }),
    'potentiostat/A/$devices/slot01': deviceRecord('slot01', { run_id: 'r' }),
    'potentiostat/A/$devices/slot09': deviceRecord('slot09', { connected: false }),
  }

  test('fail at their last sample; what has ended stays', async () => {
    const { json } = await afterwards(world)
    const spanMs = 4 * order.average * order.period_s * 1000
    const end = new Date(Date.parse(samples.timestamp) + spanMs).toISOString()
    const failed = {
      status: 'failed',
      mode_index: null,
      interrupted: true,
      message: expect.stringContaining('services'),
    }
    expect(json('potentiostat/A/r/slot01/state')).toMatchObject({ ...failed, ended_at: end })
    expect(json('potentiostat/A/r/slot02/state')).toMatchObject({ ...failed, ended_at: order.timestamp })
    expect(json('potentiostat/A/r/slot03/state')).toEqual(world['potentiostat/A/r/slot03/state'])
    expect(json('potentiostat/A/r/slot04/state')).toMatchObject({ ...failed, ended_at: order.timestamp })
  })

  test('keep the progress they reached, and nothing remains', async () => {
    const { json } = await afterwards(world)
    expect(json('potentiostat/A/r/progress')).toMatchObject({ progress_pct: 37, remaining_s: null })
  })

  test('hold no device any more', async () => {
    const { json } = await afterwards(world)
    expect(json('potentiostat/A/$devices/slot01')).toMatchObject({ connected: false, run_id: null })
    expect(json('potentiostat/A/$devices/slot09')).toEqual(world['potentiostat/A/$devices/slot09'])
  })
})

describe('outputs', () => {
  const world = {
    'pioreactor/u1/exp/pwms/dc': '{"17": 30}',
    'pioreactor/u1/exp/leds/intensity': { A: 70, B: 0, C: 0, D: 0 },
  }
  const result: SafeStateResult = { id: 'x', at: Date.parse(AT), safe: true, done: ['pwm', 'leds'], failed: [] }

  test('that safe-state switched off are off', async () => {
    const { texts, json, said } = await afterwards(world, { outputs: result })
    expect(texts.get('pioreactor/u1/exp/pwms/dc')).toBe('{}')
    expect(json('pioreactor/u1/exp/leds/intensity')).toEqual({ A: 0, B: 0, C: 0, D: 0 })
    expect(said('pioreactor/u1/exp/led_change_events')).toMatchObject([{ channel: 'A', intensity: 0 }])
    expect(json('system/u1/safe_state')).toMatchObject({ safe: true, switched_off_at: AT, timestamp: NOW })
  })

  test('that it could not switch off keep their value, with an alarm that names them', async () => {
    const failed = [{ step: 'leds', reason: 'no device at 0x2c' }]
    const { texts, said } = await afterwards(world, { outputs: { ...result, safe: false, done: ['pwm'], failed } })
    expect(texts.get('pioreactor/u1/exp/pwms/dc')).toBe('{}')
    expect(texts.get('pioreactor/u1/exp/leds/intensity')).toContain('70')
    expect(said('pioreactor/u1/$experiment/logs/app/critical')).toMatchObject([
      { level: 'CRITICAL', message: expect.stringMatching(/leds.*no device at 0x2c/) },
    ])
  })

  test('of which nothing is known keep their value', async () => {
    expect((await afterwards(world)).texts.get('pioreactor/u1/exp/pwms/dc')).toBe('{"17": 30}')
  })
})
