import { Type } from '@sinclair/typebox'
import { afterEach, expect, test } from 'vitest'
import { defineJob } from '../../../events/core/define-job.js'
import { LabError } from '../../../events/core/errors.js'
import { createAction } from '../../../services/jobs/job.js'
import { sleepS } from '../../../services/runtime/repeat.js'
import { type BioreactorLab, startBioreactorLab } from '../../support/bioreactor-lab.js'

const pumping = defineJob({
  name: 'add_salt',
  help: 'Pump media in.',
  action: true,
  stopOrder: 'outputs',
  parameters: {
    duration: { schema: Type.Number({ minimum: 0 }), unit: 's', doc: 'How long.', option: { required: true } },
    names: { schema: Type.Array(Type.String()), doc: 'For whom.', option: true, default: [] },
    amounts: { schema: Type.Array(Type.Integer()), doc: 'What.', argument: true },
    means: { schema: Type.Number(), doc: 'Result.', published: true, persist: true },
  },
})

interface Pumps {
  on: number
  readonly seen: unknown[]
}

let lab: BioreactorLab
let pumps: Pumps
async function start(): Promise<void> {
  pumps = { on: 0, seen: [] }
  const action = createAction(pumping, async (job, params) => {
    pumps.seen.push(params)
    pumps.on++
    job.atEnd(() => {
      pumps.on--
    })
    await sleepS(job.clock, params.duration, job.ending)
    if (params.duration === 0) throw new LabError('pump.dry', 'hardware', 'The pump is dry.')
    job.publish('means', params.duration)
  })
  lab = await startBioreactorLab({ jobs: () => [action] })
}
afterEach(async () => {
  await lab.service.stop()
  lab.close()
})

test('an action does its work and ends', async () => {
  await start()
  const task = await lab.run('add_salt', { duration: 3, names: ['a', 'b'] }, { args: ['1', '2'] })
  expect(task).toMatchObject({ status: 'succeeded' })
  expect(pumps).toMatchObject({ on: 1, seen: [{ duration: 3, names: ['a', 'b'], amounts: [1, 2] }] })
  await lab.clock.advance(3000)
  expect(pumps.on).toBe(0)
  expect(lab.published('add_salt/$state')).toEqual(['init', 'ready', 'disconnected'])
  expect(lab.broker.retained.get('pioreactor/u1/exp/add_salt/means')?.toString()).toBe('3')
})

test('what jobs said last is cleared when 200 others have ended since, unless it is of a later one', async () => {
  await start()
  const inExperiment = (experiment: string) =>
    lab.run('add_salt', { duration: 0.1 }, { args: ['1'], env: { EXPERIMENT: experiment } })
  const stateOf = (experiment: string) => lab.broker.retained.has(`pioreactor/u1/${experiment}/add_salt/$state`)
  for (let index = 0; index < 201; index++) await inExperiment(index === 1 || index === 50 ? 'twice' : `exp${index}`)
  await lab.clock.advance(1000)
  expect([stateOf('exp0'), stateOf('twice'), stateOf('exp2'), stateOf('exp200')]).toEqual([false, true, true, true])
  await inExperiment('later')
  await inExperiment('latest')
  await lab.clock.advance(1000)
  expect([stateOf('twice'), stateOf('exp2'), stateOf('exp3')]).toEqual([true, false, true])
  expect(lab.broker.retained.has('system/u1/jobs/2')).toBe(false)
  expect(lab.broker.retained.has('system/u1/jobs/51')).toBe(true)
}, 30_000)

test('two of the same name run side by side, and one command ends both', async () => {
  await start()
  await lab.run('add_salt', { duration: 30 })
  await lab.run('add_salt', { duration: 40 })
  expect(pumps.on).toBe(2)
  await lab.set('add_salt', '$state', 'sleeping')
  expect(lab.published('add_salt/$state/set/outcome')[0]).toContain('job.transition')
  await lab.set('add_salt', '$state', 'disconnected')
  expect(pumps.on).toBe(0)
})

test('the end of one is not the end of another of its name', async () => {
  await start()
  await lab.run('add_salt', { duration: 3 })
  await lab.run('add_salt', { duration: 30 })
  await lab.clock.advance(4000)
  expect(pumps.on).toBe(1)
  expect(lab.published('add_salt/$state').slice(-2)).toEqual(['disconnected', 'ready'])
  await lab.clock.advance(30_000)
  expect(lab.published('add_salt/$state').at(-1)).toBe('disconnected')
})

test('without the broker it ends at once', async () => {
  await start()
  await lab.run('add_salt', { duration: 30 })
  await lab.service.suspend('the connection to the broker is lost')
  expect(pumps.on).toBe(0)
})

test('one that fails within its first second has failed', async () => {
  await start()
  expect(await lab.run('add_salt', { duration: 0 })).toMatchObject({
    status: 'failed',
    error: { message: expect.stringContaining('The pump is dry.') as unknown },
  })
})

test.each([
  [{}, [], 'duration is missing.'],
  [{ duration: 'long' }, [], "duration is 'long'; it must be a number in s."],
  [{ duration: -1 }, ['x'], "duration is -1 s; it must be at least 0 s. amounts is 'x'; it must be an integer."],
])('%j %j is refused before anything moves', async (options, args, message) => {
  await start()
  const task = await lab.run('add_salt', options, { args })
  expect(JSON.stringify(task['error'])).toContain(message)
  expect(pumps.seen).toEqual([])
  expect(lab.published('add_salt/$state')).toEqual([])
})

test('a job that could be asked to sleep is no action', async () => {
  await start()
  const job = defineJob({ name: 'waiting', help: '', parameters: {} })
  expect(() => createAction(job, async () => undefined)).toThrow('not declared as an action')
})
