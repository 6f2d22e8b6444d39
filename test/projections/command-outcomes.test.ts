import { expect, test } from 'vitest'
import { openForWriting } from '../../projections/engine/database.js'
import { Projector } from '../../projections/engine/projector.js'
import { projections } from '../../projections/index.js'
import { MemoryLog, type TestEvent } from '../support/memory-log.js'
import { tableContents } from '../support/table-contents.js'

const timestamp = '2026-11-20T09:41:57.000Z'
const error = { code: 'jobs.not_found', family: 'input', message: "There is no run 'x'." }
const accepted = (id: string) => ({ id, accepted: true, result: { task_id: id }, timestamp })
const refused = (id: string) => ({ id, accepted: false, error, timestamp })

const outcome = (topic: string, payload: object): TestEvent => ({ topic, payload, retain: false })

function fold(events: readonly TestEvent[]): Readonly<Record<string, readonly string[]>> {
  const database = openForWriting(':memory:')
  const projector = new Projector(database, new MemoryLog(events), projections)
  while (projector.foldNext() > 0);
  const tables = tableContents(database)
  database.close()
  return tables
}

/** A log as it was when orders went to `request` and outcomes to `commands`. */
const early: readonly TestEvent[] = [
  outcome('system/u1/request/run_job', { id: 'a1', job_name: 'stirring' }),
  outcome('system/u1/commands/a1', accepted('a1')),
  outcome('system/u1/request/cancel_run', { id: 'a2', run_id: 'x' }),
  outcome('system/u1/commands/a2', refused('a2')),
  // An id may be called like a command.
  outcome('system/u1/commands/run_job', accepted('run_job')),
  outcome('pioreactor/u1/commands/stirring/target_rpm/set/outcome', { accepted: true, result: 400, timestamp }),
]

test('outcomes of an early log are folded where they were recorded', () => {
  const { command_outcomes: rows, parked_events: parked } = fold(early)
  const row = { setting: null, unit: 'u1', accepted: 1, error: null, timestamp }
  expect(rows?.map((text) => JSON.parse(text) as object)).toEqual(
    [
      { id: 'a1', ...row, result: '{"task_id":"a1"}' },
      { id: 'a2', ...row, accepted: 0, result: null, error: JSON.stringify(error) },
      { id: 'run_job', ...row, result: '{"task_id":"run_job"}' },
      { id: null, ...row, setting: 'commands/stirring/target_rpm', result: '400' },
    ].map((values) => expect.objectContaining(values) as object),
  )
  expect(parked).toEqual([])
})

test('the same log with the topics of today folds to the same outcomes', () => {
  const today = early.map(({ topic, ...rest }) => ({
    ...rest,
    topic: topic.replace(/^(system\/u1)\/commands\//, '$1/outcomes/').replace('/request/', '/commands/'),
  }))
  expect(today.map(({ topic }) => topic)).toContain('system/u1/outcomes/a1')
  expect(fold(today)['command_outcomes']).toEqual(fold(early)['command_outcomes'])
})

test.each([
  ['an order', '{"id":"a3","job_name":"stirring"}'],
  ['an order without an id', '{"job_name":"stirring"}'],
  ['an order that calls itself accepted', JSON.stringify({ job_name: 'stirring', ...accepted('a3') })],
  ['what is no object', '7'],
  ['what is no JSON', '{'],
  ['what is no text', Buffer.from([0xff, 0xfe])],
  ['nothing', ''],
])('%s is no outcome, and nothing to complain about', (_what, payload) => {
  const { command_outcomes: rows, parked_events: parked } = fold([
    { topic: 'system/u1/commands/run_job', payload, retain: false },
  ])
  expect([rows, parked]).toEqual([[], []])
})
