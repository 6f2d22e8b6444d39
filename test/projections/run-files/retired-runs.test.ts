import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import { RunManifest } from '../../../events/nas/nas.js'
import { check } from '../../../events/schema.js'
import { RunFileSink } from '../../../projections/run-files/run-file-sink.js'
import { resetRunFilesDatabase } from '../../../projections/run-files/run-files-database.js'
import { MemoryLog, type TestEvent } from '../../support/memory-log.js'
import { temporaryDirectory } from '../../support/temporary-directory.js'
import { order, report, samples, slotState, T0 } from '../lab-events.js'

const DIRECTORY = 'My_Exp/2025-11-03T10-15-31'
const CSV = 'slot01/CV/My_Exp_slot01_CV.csv'

const finished = (runId: string, slot = 'slot01'): TestEvent[] => [
  order(runId, { slots: [slot] }),
  samples(runId, 0, 4, {}, slot),
  onSlot(slotState(runId, 'done', { slot, reports: [report(0, 4)] }), slot),
]
const onSlot = (event: TestEvent, slot: string): TestEvent => ({ ...event, topic: event.topic.replace('slot01', slot) })
const retired = (runId: string): TestEvent => ({
  topic: `potentiostat/box/${runId}/retired`,
  payload: { run_id: runId, uploaded_at: T0, retention_days: 7, timestamp: T0 },
})

class Sink {
  readonly log = new MemoryLog()
  readonly runsRoot = temporaryDirectory()
  readonly sink: RunFileSink

  constructor(events: readonly TestEvent[]) {
    const database = new Database(':memory:')
    resetRunFilesDatabase(database)
    this.sink = new RunFileSink({ database, log: this.log, runsRoot: this.runsRoot })
    this.follow(...events)
  }

  follow(...events: readonly TestEvent[]): void {
    this.log.append(...events)
    while (this.sink.advance() > 0);
    this.sink.writeManifests()
  }

  paths(): string[] {
    return readdirSync(this.runsRoot, { recursive: true, encoding: 'utf8' }).sort()
  }

  manifest(runId: string): RunManifest | null {
    const path = join(this.runsRoot, '.benchlog', `${runId}.json`)
    return existsSync(path) ? check(RunManifest, JSON.parse(readFileSync(path, 'utf8'))) : null
  }
}

describe('the manifest of a run', () => {
  test('lists exactly its files with their sizes', () => {
    const lab = new Sink(finished('r1'))
    const size = (path: string): number => statSync(join(lab.runsRoot, DIRECTORY, path)).size
    const json = CSV.replace('.csv', '.json')
    expect(lab.manifest('r1')).toMatchObject({
      run_id: 'r1',
      directory: DIRECTORY,
      status: 'done',
      files: [
        { path: CSV, bytes: size(CSV) },
        { path: json, bytes: size(json) },
      ],
    })
  })

  test('is not there before every slot has ended and every file is complete', () => {
    const [, ...rest] = finished('r1')
    const lab = new Sink([order('r1', { slots: ['slot01', 'slot02'], make_plot: true })])
    lab.follow(...rest)
    expect(lab.manifest('r1')).toBeNull()
    lab.follow(onSlot(slotState('r1', 'failed', { slot: 'slot02' }), 'slot02'))
    expect(lab.manifest('r1')).toBeNull()
    for (const file of lab.sink.pendingArtifacts()) {
      writeFileSync(lab.sink.pathOf(file), 'drawn')
      lab.sink.finishArtifact(file, 5)
    }
    lab.follow()
    expect(lab.manifest('r1')).toMatchObject({ status: 'failed' })
    expect(lab.manifest('r1')?.files).toContainEqual({ path: CSV.replace('.csv', '.png'), bytes: 5 })
  })
})

describe('a retired run', () => {
  test('leaves nothing behind, and the other run of its directory stays whole', () => {
    const lab = new Sink([...finished('r1'), ...finished('r2', 'slot02')])
    lab.follow(retired('r1'))
    expect(lab.manifest('r1')).toBeNull()
    expect(readdirSync(join(lab.runsRoot, DIRECTORY))).toEqual(['slot02'])
    expect(JSON.parse(readFileSync(join(lab.runsRoot, '_run_paths.json'), 'utf8'))).toEqual({ r2: DIRECTORY })
    lab.follow(retired('r2'), retired('r2'))
    expect(lab.paths()).toEqual([])
  })

  test('does not come back by a rebuild', () => {
    const events = [...finished('r1'), ...finished('r2', 'slot02'), retired('r1')]
    const followed = new Sink([])
    for (const event of events) followed.follow(event)
    expect(new Sink(events).paths()).toEqual(followed.paths())
  })

  test('keeps files in its directory that are not its own', () => {
    const lab = new Sink(finished('r1'))
    writeFileSync(join(lab.runsRoot, DIRECTORY, 'notes.txt'), 'mine')
    lab.follow(retired('r1'))
    expect(readdirSync(join(lab.runsRoot, DIRECTORY))).toEqual(['notes.txt'])
  })

  test('is not retired while it measures', () => {
    const lab = new Sink([order('r1'), slotState('r1', 'running'), retired('r1'), samples('r1', 0, 4)])
    expect(readFileSync(join(lab.runsRoot, DIRECTORY, CSV), 'utf8').split('\r\n')).toHaveLength(6)
  })
})
