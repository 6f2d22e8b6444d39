import { Type } from '@sinclair/typebox'
import { afterEach, expect, test } from 'vitest'
import { defineJob } from '../../../events/core/define-job.js'
import { createJob } from '../../../services/jobs/job.js'
import { type BioreactorLab, startBioreactorLab } from '../../support/bioreactor-lab.js'

const versions = defineJob({
  name: 'versions',
  help: 'Keeps what it is told.',
  parameters: { table: { schema: Type.Record(Type.String(), Type.Unknown()), doc: 'JSON.', settable: true } },
})
const keeping = createJob(versions, async (job) => {
  job.publish('table', {})
  return {
    setters: { table: { apply: (value) => job.publish('table', value) } },
    sleep: async () => undefined,
    wake: async () => undefined,
  }
})

let lab: BioreactorLab
afterEach(async () => {
  await lab.service.stop()
  lab.close()
})

const outcomes = (job: string, setting: string, experiment = 'exp'): unknown[] =>
  lab.published(`${job}/${setting}/set/outcome`, experiment).map((text) => JSON.parse(text) as unknown)

test('a command may carry an id, which its outcome returns', async () => {
  lab = await startBioreactorLab()
  await lab.run('stirring')
  await lab.set('stirring', 'target_rpm', '{"value": 321, "id": "mine-1"}')
  await lab.set('stirring', 'target_rpm', '{"value": "322", "id": "mine-2"}')
  await lab.set('stirring', 'target_rpm', '{"value": 9999, "id": "mine-3"}')
  await lab.set('stirring', 'target_rpm', '{"value": null, "id": "mine-4"}')
  await lab.set('stirring', '$state', '{"value": "sleeping", "id": "mine-5"}')
  expect(outcomes('stirring', 'target_rpm')).toMatchObject([
    { id: 'mine-1', accepted: true, result: 321 },
    { id: 'mine-2', accepted: true, result: 322 },
    { id: 'mine-3', accepted: false, error: { message: expect.stringContaining('1500 RPM') as unknown } },
    { id: 'mine-4', accepted: false, error: { code: 'input.invalid' } },
  ])
  expect(outcomes('stirring', '$state')).toMatchObject([{ id: 'mine-5', accepted: true, result: 'sleeping' }])
})

test.each(['{"value": 5}', '{"value": 5, "id": ""}', '{"value": 5, "id": "a/b"}', '{"id": "x"}', '{"value": 5', '[]'])(
  '%s is no number',
  async (text) => {
    lab = await startBioreactorLab()
    await lab.run('stirring')
    await lab.set('stirring', 'target_rpm', text)
    const [outcome] = outcomes('stirring', 'target_rpm')
    expect(outcome).toMatchObject({ accepted: false, error: { code: 'input.invalid' } })
    expect(outcome).not.toHaveProperty('id')
  },
)

test('JSON for a setting that is JSON is its value, unless it is a value with an id', async () => {
  lab = await startBioreactorLab({ jobs: () => [keeping] })
  await lab.run('versions')
  await lab.set('versions', 'table', '{"value": 1, "unit": "V"}')
  await lab.set('versions', 'table', '{"value": {"app": "1.0"}, "id": "mine"}')
  expect(outcomes('versions', 'table')).toMatchObject([
    { accepted: true, result: { value: 1, unit: 'V' } },
    { id: 'mine', accepted: true, result: { app: '1.0' } },
  ])
})

test.each(['[]', 'nan', '"text"', ''])(
  '%s is refused for a setting that is an object, by the name of the setting',
  async (text) => {
    lab = await startBioreactorLab({ jobs: () => [keeping] })
    await lab.run('versions')
    await lab.set('versions', 'table', text)
    expect(outcomes('versions', 'table')).toMatchObject([
      { accepted: false, error: { code: 'input.invalid', details: { field: 'table' } } },
    ])
  },
)

test('a command to a job that does not run is answered, for this unit alone', async () => {
  lab = await startBioreactorLab()
  await lab.set('stirring', 'target_rpm', '{"value": 1, "id": "mine"}')
  await lab.set('nothing', 'target_rpm', '1')
  await lab.context.bus.publish('pioreactor/$broadcast/exp/stirring/duty_cycle/set', '1')
  await lab.clock.advance(0)
  expect(outcomes('stirring', 'target_rpm')).toMatchObject([
    { id: 'mine', accepted: false, error: { code: 'job.not_running' } },
  ])
  expect(outcomes('nothing', 'target_rpm')).toMatchObject([{ accepted: false, error: { code: 'job.not_running' } }])
  expect(outcomes('stirring', 'duty_cycle')).toEqual([])
})

test('a job runs for one experiment; commands for another are answered and change nothing', async () => {
  lab = await startBioreactorLab()
  await lab.run('stirring')
  await lab.set('stirring', 'target_rpm', '321', 'other')
  expect(outcomes('stirring', 'target_rpm', 'other')).toMatchObject([{ error: { code: 'job.not_running' } }])
  expect(lab.published('stirring/target_rpm')).toEqual(['500'])
})

test('the order that ends a job is answered once', async () => {
  lab = await startBioreactorLab()
  await lab.run('stirring')
  await lab.set('stirring', '$state', 'disconnected')
  await lab.clock.advance(1000)
  expect(outcomes('stirring', '$state')).toMatchObject([{ accepted: true, result: 'disconnected' }])
  await lab.set('stirring', '$state', 'disconnected')
  expect(outcomes('stirring', '$state')[1]).toMatchObject({ accepted: false, error: { code: 'job.not_running' } })
})
