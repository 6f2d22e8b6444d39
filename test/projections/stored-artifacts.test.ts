import fc from 'fast-check'
import { expect, test } from 'vitest'
import { activeCalibrationEvent, calibrationEvent, estimatorEvent } from '../../events/bioreactor/artifacts.js'
import { openForWriting } from '../../projections/engine/database.js'
import { Projector } from '../../projections/engine/projector.js'
import { projections } from '../../projections/index.js'
import { MemoryLog, type TestEvent } from '../support/memory-log.js'
import { temporaryDirectory } from '../support/temporary-directory.js'

const at = (second: number): string => `2026-11-20T09:00:0${second}.000Z`

const file = (name: string, second: number, changes: object = {}): TestEvent => ({
  topic: calibrationEvent.topic({ unit: 'u1', device: 'od90', name }),
  payload: {
    text: `calibration_name: ${name}\n`,
    artifact: { calibration_name: name, created_at: '2026-01-02T03:04:05Z' },
    problem: null,
    timestamp: at(second),
    ...changes,
  },
})
const gone = (name: string): TestEvent => ({
  topic: calibrationEvent.topic({ unit: 'u1', device: 'od90', name }),
})
const active = (name: string | null, previous: string | null, second: number): TestEvent => ({
  topic: activeCalibrationEvent.topic({ unit: 'u1', device: 'od90' }),
  payload: { name, previous, cause: 'order', timestamp: at(second) },
})

function folded(events: readonly TestEvent[], batches: readonly number[] = []) {
  const database = openForWriting(`${temporaryDirectory()}/read-models.db`)
  const log = new MemoryLog()
  let from = 0
  for (const until of [...batches, events.length]) {
    log.append(...events.slice(from, until))
    from = Math.max(from, until)
    const projector = new Projector(database, log, projections)
    while (projector.foldNext() > 0);
    projector.createIndexes()
  }
  const rows = (table: string): unknown[] => database.prepare(`SELECT * FROM ${table}`).all()
  const all = ['calibrations', 'active_artifact_history', 'active_artifact_periods', 'stored_artifacts'].map(rows)
  database.close()
  return all
}

const EVENTS = [
  active('b', null, 0),
  file('a', 1),
  file('b', 1),
  file('broken', 1, { artifact: null, problem: 'no YAML' }),
  active('a', 'b', 2),
  active('a', 'b', 2),
  gone('b'),
  active(null, 'a', 4),
  active('a', null, 6),
  { ...file('x', 7), topic: estimatorEvent.topic({ unit: 'u1', device: 'od90', name: 'x' }) },
  { topic: 'system/u1/calibrations/od90/c', payload: '{"text": 1}' },
  { topic: 'system/u1/active_calibrations/od90', payload: 'nothing' },
]

test('calibrations stand in the table that a leader has, with what is in use since when', () => {
  const [calibrations] = folded(EVENTS)
  expect(calibrations).toEqual([
    {
      pioreactor_unit: 'u1',
      created_at: '2026-01-02T03:04:05Z',
      type: 'od90',
      data: '{"calibration_name":"a","created_at":"2026-01-02T03:04:05Z"}',
      name: 'a',
      is_current: 1,
      set_to_current_at: at(6),
    },
  ])
})

test('what was in use from when until when can be told, also of what is gone', () => {
  const [, history, periods] = folded(EVENTS)
  expect(history).toHaveLength(4)
  const owner = { kind: 'calibrations', pioreactor_unit: 'u1', device: 'od90' }
  expect(periods).toEqual([
    { ...owner, name: 'b', active_from: at(0), active_until: at(2) },
    { ...owner, name: 'a', active_from: at(2), active_until: at(4) },
    { ...owner, name: 'a', active_from: at(6), active_until: null },
  ])
})

test('folded in any pieces the tables are the same', () => {
  const whole = folded(EVENTS)
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: EVENTS.length }), { maxLength: 4 }), (cuts) => {
      expect(
        folded(
          EVENTS,
          [...cuts].sort((one, other) => one - other),
        ),
      ).toEqual(whole)
    }),
    { numRuns: 10 },
  )
})
