import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { openEventLogReader } from '../event-log/reader.js'
import { openForWriting } from '../projections/engine/database.js'
import { BATCH_EVENTS, Projector } from '../projections/engine/projector.js'
import { projections } from '../projections/index.js'
import { describeLoad } from './machine.js'
import type { Print, Scenario } from './scenario.js'
import { formatCount, renderTable, verdict } from './table.js'
import { writeUnitLog } from './unit-log.js'

/** Events of the bench's log: about three days of one unit. */
const EVENTS = 500_000

interface FoldRate {
  readonly name: 'bare insert' | 'live' | 'rebuild'
  readonly eventsPerSecond: number
  /** Per second of processor time of this process: what a machine busy with other work would reach. */
  readonly eventsPerCpuSecond: number
  /** To the bare insert. */
  readonly ratio: number
  readonly floor: number | null
}

/** How fast the log is folded, live (indexes kept) and in a rebuild (indexes last), beside a bare SQLite insert of as many rows. */
export const foldScenario: Scenario = {
  name: 'fold',
  summary: `folding ${EVENTS} events into the read models: events/s`,
  async run(print: Print) {
    const rates = measureRates()
    print(
      renderTable(
        ['', 'events/s', 'per CPU second', 'ratio'],
        rates.map(({ name, eventsPerSecond, eventsPerCpuSecond, ratio }) => [
          name,
          formatCount(eventsPerSecond),
          formatCount(eventsPerCpuSecond),
          `${ratio.toFixed(2)} ×`,
        ]),
      ),
    )
    for (const { name, eventsPerSecond, floor } of rates) {
      if (floor === null) continue
      print(verdict(eventsPerSecond >= floor, `${name} at least ${formatCount(floor)}/s`, formatCount(eventsPerSecond)))
    }
    print(describeLoad())
  },
}

function measureRates(): readonly FoldRate[] {
  const directory = mkdtempSync(join(tmpdir(), 'benchlog-fold-'))
  try {
    const logPath = join(directory, 'event-log.db')
    writeUnitLog(logPath, EVENTS)
    const bare = measure(EVENTS, () => insertBare(join(directory, 'bare.db'), EVENTS))
    const live = measure(EVENTS, fold(logPath, join(directory, 'live.db'), 'indexes first'))
    const rebuild = measure(EVENTS, fold(logPath, join(directory, 'rebuild.db'), 'indexes last'))
    return [
      { name: 'bare insert', ...bare, ratio: 1, floor: null },
      { name: 'live', ...live, ratio: live.eventsPerCpuSecond / bare.eventsPerCpuSecond, floor: 100_000 },
      { name: 'rebuild', ...rebuild, ratio: rebuild.eventsPerCpuSecond / bare.eventsPerCpuSecond, floor: 200_000 },
    ]
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function measure(events: number, work: () => void): Pick<FoldRate, 'eventsPerSecond' | 'eventsPerCpuSecond'> {
  const startMs = performance.now()
  const before = process.cpuUsage()
  work()
  const { user, system } = process.cpuUsage(before)
  return {
    eventsPerSecond: events / ((performance.now() - startMs) / 1000),
    eventsPerCpuSecond: events / ((user + system) / 1e6),
  }
}

function insertBare(path: string, events: number): void {
  const database = openForWriting(path)
  database.exec(
    'CREATE TABLE readings (experiment TEXT, unit TEXT, timestamp TEXT, value REAL, angle INTEGER, channel INTEGER)',
  )
  const insert = database.prepare('INSERT INTO readings VALUES (?, ?, ?, ?, ?, ?)')
  const insertBatch = database.transaction((from: number, to: number) => {
    for (let index = from; index < to; index++) {
      insert.run('growth', 'u1', '2026-11-20T09:00:00.000Z', index * 1e-7, 90, 1)
    }
  })
  for (let from = 0; from < events; from += BATCH_EVENTS) insertBatch(from, Math.min(events, from + BATCH_EVENTS))
  database.close()
}

function fold(logPath: string, path: string, indexes: 'indexes first' | 'indexes last'): () => void {
  return () => {
    const log = openEventLogReader(logPath)
    const database = openForWriting(path)
    const projector = new Projector(database, log, projections)
    if (indexes === 'indexes first') projector.createIndexes()
    while (projector.foldNext() > 0);
    projector.createIndexes()
    database.close()
    log.close()
  }
}
