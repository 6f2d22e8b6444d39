import Database from 'better-sqlite3'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { TextEvent } from '../../../events/event.js'
import type { ReadOptions } from '../../../events/ports.js'
import { type CheckpointTable, checkpointQueries } from '../../../projections/engine/checkpoint.js'
import { foldProjection, type Projection, rowsProjection } from '../../../projections/engine/projection.js'
import { Projector } from '../../../projections/engine/projector.js'
import { openTables } from '../../../projections/engine/queries.js'
import { projections } from '../../../projections/index.js'
import { MemoryLog, type TestEvent } from '../../support/memory-log.js'
import { tableContents } from '../../support/table-contents.js'
import { ca, jobRecord, odReading, order, progress, setting, slotState, T0 } from '../lab-events.js'

function foldAll(log: MemoryLog, list: readonly Projection[] = projections, database = new Database(':memory:')) {
  const projector = new Projector(database, log, list)
  while (projector.foldNext() > 0);
  projector.createIndexes()
  return { database, projector }
}

/** Tables of every kind, and few enough to be built many times. */
const SOME = [
  'od_readings',
  'liquid_volumes',
  'setting_changes',
  'pio_job_metadata',
  'job_settings',
  'tasks',
  'runs',
  'run_slots',
]
const someProjections = projections.filter(({ name }) => SOME.includes(name))

class Crash extends Error {}

/** A log whose reader dies in the middle of a page, as a killed process would leave a transaction. */
class CrashingLog extends MemoryLog {
  crashAt = Number.POSITIVE_INFINITY

  override readText(options: ReadOptions): TextEvent[] {
    return super.readText(options).map((event) =>
      event.position === this.crashAt
        ? Object.defineProperty({ ...event }, 'topic', {
            get: () => {
              throw new Crash()
            },
          })
        : event,
    )
  }
}

const timestamp = fc.integer({ min: 0, max: 30 }).map((s) => `2026-11-20T09:00:${String(s).padStart(2, '0')}.123000Z`)
const runId = fc.constantFrom('r1', 'r2')
const anyEvent: fc.Arbitrary<TestEvent> = fc.oneof(
  fc
    .tuple(fc.constantFrom('1', '2'), fc.double({ noNaN: true, noDefaultInfinity: true }), timestamp)
    .map(([c, od, at]) => odReading(c, od, at)),
  fc
    .record({ id: fc.integer({ min: 1, max: 4 }), running: fc.boolean() })
    .map(({ id, running }) => jobRecord(id, { is_running: running })),
  fc
    .tuple(fc.constantFrom('target_rpm', '$state', 'enable'), fc.constantFrom('', '500', 'True', 'ready', '{"a":1}'))
    .map(([s, value]) => setting(s, value)),
  runId.map((id) => order(id, { slots: ['slot01', 'slot02'] })),
  fc
    .tuple(runId, fc.constantFrom('queued', 'running', 'done', 'failed', 'cancelled' as const))
    .map(([id, status]) => slotState(id, status)),
  fc.tuple(runId, fc.integer({ min: 0, max: 100 })).map(([id, percent]) => progress(id, percent, 5)),
  fc.constantFrom<TestEvent>(
    { topic: 'pioreactor/u1/exp/od_reading/od1', payload: 'not json' },
    { topic: 'pioreactor/u1/exp/od_reading/od1', payload: Buffer.from([0xff, 0xfe]) },
    { topic: 'system/u1/jobs/7', payload: '{}' },
    { topic: 'pioreactor/u1/exp/bioreactor/current_volume_ml', payload: '14.5' },
    { topic: 'system/u1/tasks/t', payload: { task_id: 't', name: 'n', status: 'running', timestamp: T0 } },
    { topic: 'system/u1/tasks/t', payload: '' },
    { topic: 'zigbee2mqtt/lamp', payload: 'on' },
  ),
)

describe('folding', () => {
  test('in any batches, with crashes anywhere, leaves what a rebuild leaves', () => {
    fc.assert(
      fc.property(
        fc.array(anyEvent, { maxLength: 40 }),
        fc.array(fc.record({ limit: fc.integer({ min: 1, max: 9 }), crash: fc.boolean(), arrive: fc.nat(9) }), {
          minLength: 1,
          maxLength: 30,
        }),
        (events, steps) => {
          const log = new CrashingLog()
          const database = new Database(':memory:')
          let projector = new Projector(database, log, someProjections)
          const waiting = [...events]
          for (const { limit, crash, arrive } of steps) {
            log.append(...waiting.splice(0, arrive))
            log.crashAt = crash ? projector.position + 1 + Math.floor(limit / 2) : Number.POSITIVE_INFINITY
            try {
              projector.foldNext(limit)
              if (limit % 3 === 0 && projector.position === log.lastPosition()) projector.createIndexes()
            } catch (error) {
              expect(error).toBeInstanceOf(Crash)
              projector = new Projector(database, log, someProjections)
            }
          }
          log.crashAt = Number.POSITIVE_INFINITY
          log.append(...waiting)
          foldAll(log, someProjections, database)
          const rebuilt = foldAll(new MemoryLog(events), someProjections).database
          expect(tableContents(database)).toEqual(tableContents(rebuilt))
        },
      ),
      { numRuns: 20 },
    )
  }, 120_000)

  test('counts a redelivered reading once, whether the index came before or after it', () => {
    const twice = [
      odReading('1', 0.5, '2026-11-20T09:00:01.123000Z'),
      odReading('1', 0.5, '2026-11-20T09:00:01.123000Z'),
    ]
    const before = foldAll(new MemoryLog()).database
    foldAll(new MemoryLog(twice), projections, before)
    const after = foldAll(new MemoryLog(twice)).database
    for (const database of [before, after]) {
      expect(database.prepare('SELECT * FROM od_readings').all()).toEqual([
        {
          experiment: 'exp',
          pioreactor_unit: 'u1',
          timestamp: '2026-11-20T09:00:01.123Z',
          od_reading: 0.5,
          angle: 90,
          channel: 1,
        },
      ])
    }
  })

  test('keeps readings of experiments that take turns apart, the earliest of each moment', () => {
    const moments = Array.from({ length: 130 }, (_, second) => new Date(Date.parse(T0) + second * 1000).toISOString())
    const events = moments.flatMap((at) => [
      odReading('1', 0.1, at, 'u1', 'a'),
      odReading('1', 0.2, at, 'u1', 'b'),
      odReading('1', 0.3, at, 'u1', 'a'),
    ])
    for (const first of [[], events.slice(0, 100)]) {
      const { database } = foldAll(new MemoryLog(first))
      foldAll(new MemoryLog(events), projections, database)
      const rows = database
        .prepare('SELECT rowid, experiment, timestamp, od_reading FROM od_readings ORDER BY rowid')
        .all()
      expect(rows).toEqual(
        moments.flatMap((timestamp, index) => [
          { rowid: 3 * index + 1, experiment: 'a', timestamp, od_reading: 0.1 },
          { rowid: 3 * index + 2, experiment: 'b', timestamp, od_reading: 0.2 },
        ]),
      )
    }
  })

  test('dates a plain value by when it was recorded', () => {
    const published = { ...setting('target_rpm', '500'), recordedAt: Date.parse('2026-11-20T09:00:01.007Z') }
    const { database } = foldAll(new MemoryLog([jobRecord(1), published]))
    expect(database.prepare('SELECT * FROM pio_job_published_settings').all()).toEqual([
      {
        setting: 'target_rpm',
        value: 500,
        proposed_value: null,
        created_at: '2026-11-20T09:00:01.007Z',
        updated_at: '2026-11-20T09:00:01.007Z',
        job_id: 1,
      },
    ])
  })

  test('parks a malformed event with its reason and goes on', () => {
    const { database, projector } = foldAll(
      new MemoryLog([
        { topic: 'pioreactor/u1/exp/stirring/measured_rpm', payload: { measured_rpm: 'fast', timestamp: T0 } },
        { topic: 'pioreactor/u1/exp/stirring/measured_rpm', payload: { measured_rpm: 500, timestamp: T0 } },
      ]),
    )
    expect(projector.position).toBe(2)
    expect(database.prepare('SELECT * FROM stirring_rates').all()).toHaveLength(1)
    expect(database.prepare('SELECT * FROM parked_events').all()).toEqual([
      { position: 1, projection: 'stirring_rates', reason: 'measured_rpm is "fast"; it must be a number.' },
    ])
  })

  test('parks an event a fold cannot take and keeps the state it had', async () => {
    const { database } = foldAll(
      new MemoryLog([order('r1', { modes: [ca(10)] }), { topic: 'potentiostat/box/r1/progress', payload: '[]' }]),
    )
    expect(database.prepare('SELECT run_id, progress_pct FROM runs').all()).toEqual([{ run_id: 'r1', progress_pct: 0 }])
    expect(database.prepare('SELECT projection FROM parked_events ORDER BY 1').all()).toEqual([
      { projection: 'run_slots' },
      { projection: 'runs' },
    ])
    expect(await checkpointQueries(openTables<CheckpointTable>(database)).parkedEvents()).toBe(1)
  })
})

describe('versions', () => {
  const counter = (version: number, step: number): Projection =>
    foldProjection<{ topic: string; n: number }>({
      name: 'counter',
      version,
      on: ['#'],
      columns: { topic: 'TEXT', n: 'INTEGER' },
      key: ['topic'],
      keys: ({ topic }) => [[topic]],
      evolve: (row, { topic }) => ({ topic, n: (row?.n ?? 0) + step }),
    })
  const positions = rowsProjection({
    name: 'positions',
    version: 1,
    on: ['#'],
    columns: { position: 'INTEGER' },
    row: ({ position }) => [position],
  })
  const log = new MemoryLog([{ topic: 'a' }, { topic: 'a' }, { topic: 'b' }])
  const counts = (database: Database.Database) => database.prepare('SELECT * FROM counter ORDER BY topic').all()

  test('a new version is folded from the first event, the others go on', () => {
    const { database } = foldAll(log, [counter(1, 1), positions])
    foldAll(log, [counter(2, 10), positions], database)
    expect(counts(database)).toEqual([
      { topic: 'a', n: 20 },
      { topic: 'b', n: 10 },
    ])
    expect(database.prepare('SELECT count(*) AS n FROM positions').get()).toEqual({ n: 3 })
  })

  test('a projection that was removed does not hold the position back', () => {
    const { database } = foldAll(log, [counter(1, 1), positions])
    const longer = new MemoryLog([{ topic: 'a' }, { topic: 'a' }, { topic: 'b' }, { topic: 'c' }])
    expect(foldAll(longer, [counter(1, 1)], database).projector.position).toBe(4)
  })

  test('read models ahead of the log belong to another log and are rebuilt', () => {
    const { database } = foldAll(log, [counter(1, 1)])
    foldAll(new MemoryLog([{ topic: 'z' }]), [counter(1, 1)], database)
    expect(counts(database)).toEqual([{ topic: 'z', n: 1 }])
  })
})
