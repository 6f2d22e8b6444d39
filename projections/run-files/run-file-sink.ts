import { rmSync, statSync, truncateSync } from 'node:fs'
import { join } from 'node:path'
import type Database from 'better-sqlite3'
import { LabError } from '../../events/core/errors.js'
import { compileFilters } from '../../events/filter-tree.js'
import { runRetiredEvent } from '../../events/nas/nas.js'
import type { EventLogReader } from '../../events/ports.js'
import { runOrderEvent } from '../../events/potentiostat/run-order.js'
import { slotStateEvent } from '../../events/potentiostat/run-state.js'
import { sampleLossEvent, samplesEvent } from '../../events/potentiostat/samples.js'
import { FoldEvent } from '../engine/fold-event.js'
import type { ArtifactRequest } from './artifact.js'
import { FileBatch } from './file-batch.js'
import { resetRunFilesDatabase } from './run-files-database.js'
import { type RunFile, RunFilesStore } from './run-files-store.js'
import { manifestOf, manifestPath } from './run-manifest.js'
import { RunRecorder } from './run-recorder.js'

const MATCH = compileFilters(
  [runOrderEvent, sampleLossEvent, runRetiredEvent, samplesEvent, slotStateEvent].map((event) => event.filter()),
)

/** A block is about 25 kB of text: at most 12 MB are held in memory. */
const BATCH_EVENTS = 500
/** How far the position may run ahead of the stored one while no run measures: re-reading that much takes a moment. */
const IDLE_POSITIONS = 10_000

export interface RunFileSinkOptions {
  readonly database: Database.Database
  readonly log: EventLogReader
  /** Absolute path of the directory that holds all runs. */
  readonly runsRoot: string
}

/** Writes the files of potentiostat runs from the log. Files are fsynced before the position is committed, and what a crash left
 * beyond the committed length is cut off: whatever happens, the files are those a rebuild writes, byte for byte. */
export class RunFileSink {
  readonly #database: Database.Database
  readonly #log: EventLogReader
  readonly #runsRoot: string
  readonly store: RunFilesStore
  readonly #write: Database.Transaction<(events: readonly FoldEvent[], position: number) => void>

  constructor({ database, log, runsRoot }: RunFileSinkOptions) {
    this.#database = database
    this.#log = log
    this.#runsRoot = runsRoot
    if (new RunFilesStore(database).position > log.lastPosition()) resetRunFilesDatabase(database)
    this.store = new RunFilesStore(database)
    this.#write = database.transaction((events: readonly FoldEvent[], position: number) =>
      this.#writeBatch(events, position),
    )
    this.#repair()
  }

  /** Handles the next events. @returns how many there were; 0 when every run is written up to the log's end. */
  advance(limit = BATCH_EVENTS): number {
    const after = this.store.position
    const end = this.#log.lastPosition()
    const events = this.#log
      .readText({ after, limit, match: MATCH })
      .map((event) => new FoldEvent(event, event.topic.split('/')))
    const last = events.at(-1)?.position ?? after
    const position = events.length < limit ? Math.max(last, end) : last
    if (events.length === 0 && position - after < IDLE_POSITIONS) return 0
    try {
      this.#write.immediate(events, position)
    } catch (error) {
      this.store.forget()
      throw error
    }
    return events.length
  }

  #writeBatch(events: readonly FoldEvent[], position: number): void {
    const batch = new FileBatch()
    const recorder = new RunRecorder(this.store, batch)
    for (const event of events) {
      try {
        recorder.record(event)
      } catch (error) {
        if (!(error instanceof LabError)) throw error
        this.store.park(event.position, error.message)
      }
    }
    recorder.finish(batch.write(this.#runsRoot))
    this.store.position = position
  }

  /** Cuts off what a crash left behind. A file that lost committed bytes (power cut, foreign hand) is written anew. */
  #repair(): void {
    let from: number | null = null
    for (const file of this.store.incompleteFiles()) {
      if (file.kind !== 'csv') continue
      const path = this.pathOf(file)
      const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0
      if (size > file.bytes) truncateSync(path, file.bytes)
      if (size < file.bytes) from = Math.min(from ?? Number.POSITIVE_INFINITY, this.store.acceptedAt(file.run_id))
    }
    if (from !== null) this.#rewind(from)
  }

  #rewind(from: number): void {
    const rewind = this.#database.transaction(() => this.store.rewind(from))
    rewind.immediate()
  }

  /** Absolute path of a run's file. */
  pathOf(file: RunFile): string {
    return join(this.#runsRoot, this.store.run(file.run_id)?.directory ?? '', file.path)
  }

  /** Plots still to be drawn from finished CSV files. */
  pendingArtifacts(): readonly RunFile[] {
    return this.store.incompleteFiles().filter(({ kind }) => kind === 'png')
  }

  /** What the thread that makes the artifact needs. */
  artifactRequest(file: RunFile): ArtifactRequest {
    const run = this.store.run(file.run_id)
    const csv = this.store.csvOf(file)
    if (run === null || csv === null) throw new Error(`${file.path} belongs to no CSV.`)
    return {
      csvPath: this.pathOf(csv),
      targetPath: this.pathOf(file),
      sidecarPath: this.pathOf(csv).replace(/\.csv$/, '.json'),
      rows: csv.row_count,
      order: run.order,
      slot: file.slot,
      modeIndex: file.mode_index,
    }
  }

  /** The artifact is on disk. */
  finishArtifact(file: RunFile, bytes: number): void {
    this.store.put({ ...file, bytes, complete: true })
  }

  /** Writes the manifest of every run that has ended and whose files are complete. To be called when the log is handled to its end:
   * a run retired since must not appear again. */
  writeManifests(): void {
    for (const runId of this.store.runsWithoutManifest()) {
      const manifest = manifestOf(runId, this.store)
      if (manifest === null) continue
      const batch = new FileBatch()
      batch.replace(manifestPath(runId), `${JSON.stringify(manifest, null, 2)}\n`)
      batch.write(this.#runsRoot)
      this.store.manifestWritten(runId)
    }
  }

  /** The artifact cannot be made; the run ends without it and says why. */
  giveUpArtifact(file: RunFile, reason: string): void {
    rmSync(this.pathOf(file), { force: true })
    const giveUp = this.#database.transaction(() => {
      this.store.remove(file)
      this.store.addProblem(file.run_id, file.slot, file.mode_index, `${file.path} could not be made: ${reason}`)
    })
    giveUp.immediate()
  }
}
