import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { assignExperimentCommand } from '../../../events/bioreactor/experiments.js'
import { type BioreactorLab, startBioreactorLab } from '../../support/bioreactor-lab.js'
import { FakeBioreactor } from '../../support/fake-bioreactor.js'
import { give } from '../../support/give.js'
import { MemoryBroker } from '../../support/memory-bus.js'

const ASSIGNMENT = 'pioreactor/u1/$experiment/assignment'
const STIRRING_PIN = 17

let lab: BioreactorLab
let broker: MemoryBroker
beforeEach(async () => {
  broker = new MemoryBroker()
  lab = await startBioreactorLab({ broker })
})
afterEach(async () => {
  const stopped = lab.service.stop()
  await lab.clock.advance(10_000)
  await stopped
  await lab.book.stop()
  lab.close()
})

const now = (): string => new Date(lab.clock.now()).toISOString()

/** As a leader of 26.7 says it. */
const assignment = (experiment: string | null, told: object = {}): string =>
  JSON.stringify({
    pioreactor_unit: 'u1',
    experiment,
    assigned_at: experiment === null ? null : now(),
    updated_at: now(),
    ...told,
  })

async function assign(experiment: string | null, told?: object): Promise<void> {
  await lab.context.bus.publish(ASSIGNMENT, assignment(experiment, told), { retain: true })
  await lab.clock.advance(1000)
}
const run = (job: string, experiment: string, options: Record<string, unknown> = {}): Promise<unknown> =>
  lab.run(job, options, { env: { EXPERIMENT: experiment } })
const state = (experiment: string, job = 'stirring'): string | undefined =>
  lab.published(`${job}/$state`, experiment).at(-1)
const duty = (): number => lab.bioreactor.duty.get(STIRRING_PIN) ?? 0

describe('a unit that its leader assigns to another experiment', () => {
  test.each([['next'], [null]])(
    'stops the jobs of the one it leaves for %s, their outputs off, and says why',
    async (next) => {
      await assign('growth')
      await run('stirring', 'growth')
      expect(duty()).toBeGreaterThan(0)
      await assign(next)
      expect([state('growth'), duty()]).toEqual(['disconnected', 0])
      const [told] = lab.published('logs/app/notice', 'growth')
      expect(told).toContain(next === null ? 'assigned to no experiment' : 'now assigned to next')
      await run('stirring', '')
      expect(state(next ?? '$no_experiment_present')).toBe('ready')
    },
  )

  test('stops none of other experiments, of the unit itself, or at a repetition', async () => {
    await run('stirring', 'alone')
    await assign('growth')
    await run('monitor', 'growth')
    await run('temperature_automation', 'growth', { automation_name: 'only_record_temperature' })
    await assign('growth')
    await assign('growth', { assigned_at: '2026-02-01T00:00:00.000Z', updated_at: '2026-02-01T00:00:00.000Z' })
    expect(state('growth', 'temperature_automation')).toBe('ready')
    await assign('next')
    expect([state('growth', 'temperature_automation'), state('alone'), state('$experiment', 'monitor')]).toEqual([
      'disconnected',
      'ready',
      'ready',
    ])
  })

  test('stops them too when an order of this unit, or an empty message, takes it away', async () => {
    await give(lab.service, assignExperimentCommand, { experiment: 'growth' })
    await run('stirring', 'growth')
    await lab.context.bus.publish(ASSIGNMENT, '', { retain: true })
    await lab.clock.advance(1000)
    expect(state('growth')).toBe('disconnected')
  })

  test.each(['nonsense', '[]', '{"experiment": 3}'])('takes %j for no assignment at all', async (text) => {
    await assign('growth')
    await run('stirring', 'growth')
    await lab.context.bus.publish(ASSIGNMENT, text, { retain: true })
    await lab.clock.advance(1000)
    expect(state('growth')).toBe('ready')
  })

  test('starts no job of the one it leaves just then', async () => {
    await assign('growth')
    const starting = run('stirring', 'growth')
    await assign('next')
    expect(await starting).toMatchObject({ error: { details: { code: 'unit.reassigned' } } })
    expect([state('growth'), duty()]).toEqual([undefined, 0])
  })
})

describe('jobs that a kill interrupted', () => {
  /** The kill comes when the assignment is on disk and nothing has come of it yet. */
  async function die(experiment: string | null, told: object): Promise<void> {
    const { clock } = lab
    broker = new MemoryBroker()
    for (const [topic, payload] of lab.broker.retained) broker.retained.set(topic, payload)
    broker.retained.set(ASSIGNMENT, Buffer.from(assignment(experiment, told)))
    lab.close()
    lab = await startBioreactorLab({ broker, clock, bioreactor: new FakeBioreactor(), resumeJobs: ['stirring'] })
    await lab.clock.advance(2000)
  }

  test.each([
    ['in its experiment', 'growth', {}, 'ready'],
    ['taken from it while it was away', 'next', {}, 'lost'],
    ['taken from it, the leader does not say when', 'next', { assigned_at: null, updated_at: null }, 'lost'],
    ['assigned to none', null, { updated_at: '2027-01-01T00:00:00Z' }, 'lost'],
    ['assigned elsewhere all the time', 'next', { assigned_at: '2025-01-01T00:00:00Z' }, 'ready'],
  ])('of a unit %s', async (_, experiment, told, expected) => {
    await run('stirring', 'growth')
    await die(experiment, told)
    expect(lab.published('stirring/$state', 'growth').at(-1)).toBe(expected)
    expect(duty() > 0).toBe(expected === 'ready')
  })
})
