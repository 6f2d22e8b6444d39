import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { JobCapability } from '../../../events/core/capability.js'
import { matchesFilter } from '../../../events/topic.js'
import { type BioreactorLab, startBioreactorLab } from '../../support/bioreactor-lab.js'
import { contractEntries, sortedByName } from './contract-entries.js'

let lab: BioreactorLab
beforeEach(async () => {
  lab = await startBioreactorLab()
})
afterEach(() => lab.close())

/** What the unit announces, by key. */
const offered = (): ReadonlyMap<string, JobCapability> =>
  new Map(
    [...lab.broker.retained]
      .filter(([topic]) => matchesFilter('system/u1/capabilities/jobs/#', topic))
      .map(([topic, payload]) => [
        topic.replace('system/u1/capabilities/jobs/', ''),
        JSON.parse(payload.toString()) as JobCapability,
      ]),
  )

describe('what a unit announces is the contract, entry by entry', () => {
  test('nothing else, and nothing missing', () => {
    expect([...offered().keys()].sort()).toEqual(contractEntries.map(([key]) => key).sort())
  })

  test.each(contractEntries)('%s', (key, expected) => {
    const { form: _, long_running: __, cli_example, ...entry } = offered().get(key) ?? expect.fail(`no ${key}`)
    expect({ ...entry, options: sortedByName(entry.options) }).toEqual(expected)
    expect(cli_example).toMatch(new RegExp(`^pio run ${key.replace('/', ' --automation-name ')} .*\\[OPTIONS\\]$`))
    if ('$state' in expected.published_settings) expect(Object.keys(entry.published_settings).at(-1)).toBe('$state')
  })
})

describe('what is not built', () => {
  test.each([
    ['experiment_profile', {}, [], 'experiment_profile execute or verify'],
    ['experiment_profile execute', { dry_run: null }, ['growth.yaml', 'exp'], 'experiment profiles'],
    ['experiment_profile verify', {}, ['growth.yaml'], 'experiment profiles'],
    ['experiment_profile', {}, ['verify', 'growth.yaml'], 'experiment profiles'],
    ['export_experiment_data', { experiment: 'exp', dataset_name: ['od_readings'] }, [], 'export datasets'],
    ['backup_database', { output: '/tmp/copy' }, [], 'event-log.db'],
  ])('%s is refused with its reason, and nothing is published of it', async (job, options, args, reason) => {
    const before = lab.broker.published.length
    const task = await lab.run(job, options, { args })
    expect(task).toMatchObject({
      status: 'failed',
      error: { code: 'job.start_failed', message: expect.stringContaining(reason), details: { code: 'job.not_built' } },
    })
    const topics = lab.broker.published.slice(before).map(({ topic }) => topic)
    expect(topics.filter((topic) => !topic.startsWith('system/u1/tasks/'))).toEqual([])
    expect(lab.connections).toEqual([])
  })

  test('what is asked wrongly is told first', async () => {
    expect(await lab.run('export_experiment_data', {})).toMatchObject({
      error: { message: expect.stringContaining('experiment'), details: { field: 'experiment' } },
    })
  })
})

test('readings are not made up', async () => {
  expect(await lab.run('od_reading', { fake_data: true })).toMatchObject({
    status: 'failed',
    error: { message: expect.stringContaining('HARDWARE=simulated'), details: { field: 'fake_data' } },
  })
})
