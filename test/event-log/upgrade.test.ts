import { spawnSync } from 'node:child_process'
import { copyFileSync, readdirSync, readFileSync, truncateSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import { openEventLogReader } from '../../event-log/reader.js'
import { verifyLog } from '../../event-log/verify.js'
import type { RecordedEvent } from '../../events/event.js'
import { openForWriting } from '../../projections/engine/database.js'
import { Projector } from '../../projections/engine/projector.js'
import { projections } from '../../projections/index.js'
import { openReadModels } from '../../projections/read-models.js'
import { MemoryLog } from '../support/memory-log.js'
import { tableContents } from '../support/table-contents.js'
import { event, logPath, openReader, openWriter } from './log.js'

/** A copy of the log that a version has written; see `test/support/write-log-fixture.ts`. */
function fixture(version: number): string {
  const path = logPath()
  copyFileSync(`${process.cwd()}/test/fixtures/log-v${version}/event-log.db`, path)
  return path
}

/** The public columns, whatever the version. */
function eventsOf(path: string): RecordedEvent[] {
  const db = new Database(path, { readonly: true })
  const rows = db.prepare<[], Record<string, never>>('SELECT * FROM events ORDER BY position').all()
  db.close()
  return rows.map(({ recorded_at, retain, ...row }) => ({
    ...row,
    recordedAt: recorded_at,
    retain: retain === 1,
  })) as never
}

/** Every table as folded from a log, and the run as clients see it. */
async function readModelsOf(log: ConstructorParameters<typeof Projector>[1]) {
  const readModelsPath = join(dirname(logPath()), 'read-models.db')
  const database = openForWriting(readModelsPath)
  const projector = new Projector(database, log, projections)
  while (projector.foldNext() > 0);
  const tables = tableContents(database)
  database.close()
  const models = openReadModels({ readModelsPath, runFilesStatePath: '' })
  const run = await models.run('run-1')
  models.close()
  return { tables, run }
}

const RETAINED = [
  ['system/u1/jobs/1', 1],
  ['pioreactor/u1/exp/od_reading/od1', 6],
  ['pioreactor/u1/exp/od_reading/od2', 7],
  ['potentiostat/box/run-1/order', 9],
  ['potentiostat/box/run-1/slot01/samples', 11],
  ['potentiostat/box/run-1/progress', 12],
  ['potentiostat/box/run-1/slot01/state', 13],
  ['system/u1/jobs/2', 15],
  ['pioreactor/u1/exp/stirring/measured_rpm', 1065],
  ['flow/binary', 1066],
  ['pioreactor/u1/exp/stirring/$state', 1075],
]

describe.each([2, 3])('a log as version %d wrote it', (version) => {
  test('opens, verifies, folds, and goes on', async () => {
    const path = fixture(version)
    const before = eventsOf(path)
    expect(before.length).toBe(1076)
    const writer = await openWriter({ path })
    const reader = openReader(path)
    expect(reader.read({ after: 0, limit: 2000 })).toEqual(before)
    expect(eventsOf(path)).toEqual(before)
    expect(reader.retained('#').map(({ topic, position }) => [topic, position])).toEqual(RETAINED)
    expect(reader.received().map(({ position }) => position)).toEqual(version === 2 ? [] : [1072, 1074])
    expect(verifyLog(path)).toMatchObject({ ok: true, events: 1076, retainedTopics: 11, links: 1 })
    const memory = new MemoryLog()
    memory.events.push(...before)
    const { tables, run } = await readModelsOf(reader)
    expect({ tables, run }).toEqual(await readModelsOf(memory))
    // A payload in the shape of its time, read in that of today.
    expect(run?.warnings).toMatchObject([{ code: 'unspecified', message: 'recorded without a code' }])
    expect((await writer.append([event('next')])).firstPosition).toBe(1077)
  })
})

const STAGES = ['copy', 'compare', 'keep', 'place']

test.each(STAGES)('an upgrade killed at its stage %s is begun again and loses nothing', async (stage) => {
  const path = fixture(2)
  const script = fileURLToPath(new URL('./upgrade-process.js', import.meta.url))
  expect(spawnSync(process.execPath, [script, path, stage]).signal).toBe('SIGKILL')
  const before = eventsOf(fixture(2))
  expect(eventsOf(path)).toEqual(before)
  const writer = await openWriter({ path })
  expect(openReader(path).read({ after: 0, limit: 2000 })).toEqual(before)
  expect(verifyLog(path).problems).toEqual([])
  await writer.close()
  expect(
    readdirSync(dirname(path))
      .filter((name) => /\.db$|upgrade/.test(name))
      .toSorted(),
  ).toEqual(['event-log.db', 'event-log.v2.db'])
  expect(eventsOf(join(dirname(path), 'event-log.v2.db'))).toEqual(before)
})

test('commits of the old version that were not yet in its file come along', async () => {
  const killed = fixture(2)
  const db = new Database(killed)
  db.pragma('journal_mode = WAL')
  db.exec("INSERT INTO events VALUES (1077, 1, 'last/words', x'78', 1, 0, 'c')")
  const path = logPath()
  for (const suffix of ['', '-wal']) copyFileSync(`${killed}${suffix}`, `${path}${suffix}`)
  db.close()
  await openWriter({ path })
  expect(openReader(path).read({ after: 1076, limit: 9 })).toMatchObject([{ topic: 'last/words', position: 1077 }])
})

test('without room the log stays as it is, and the error says how much is needed and free', async () => {
  const path = fixture(2)
  const before = readFileSync(path)
  const huge = 4 * 2 ** 40
  truncateSync(path, huge)
  await expect(openWriter({ path })).rejects.toMatchObject({
    code: 'log.not_upgraded',
    message: expect.stringContaining(`needs ${1.25 * huge} bytes beside it`),
  })
  truncateSync(path, before.length)
  expect(eventsOf(path).length).toBe(1076)
  expect(readdirSync(dirname(path))).toEqual(['event-log.db'])
})

test('a log that another program reads is not upgraded under it', async () => {
  const path = fixture(2)
  const other = new Database(path)
  other.pragma('journal_mode = WAL')
  other.prepare('SELECT count(*) FROM events').get()
  await expect(openWriter({ path })).rejects.toMatchObject({ code: 'log.not_upgraded', message: /another program/ })
  other.close()
})

test('a reader does not upgrade, and says who does', () => {
  const path = fixture(2)
  expect(() => openEventLogReader(path)).toThrow('schema version 2; this program reads version 3')
})
