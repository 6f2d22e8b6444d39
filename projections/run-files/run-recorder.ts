import { InvalidInput } from '../../events/core/errors.js'
import { RunRetired } from '../../events/nas/nas.js'
import { RunOrder } from '../../events/potentiostat/run-order.js'
import { SlotState } from '../../events/potentiostat/run-state.js'
import { SampleBlock, SampleLoss } from '../../events/potentiostat/samples.js'
import { isTerminal, type RunStatus } from '../../events/run-status.js'
import type { FoldEvent } from '../engine/fold-event.js'
import { cdlCsv } from './cdl.js'
import { csvHeader, csvRows, rowCount } from './csv-rows.js'
import type { FileBatch } from './file-batch.js'
import type { KnownRun, RunFile, RunFilesStore } from './run-files-store.js'
import { modeBasePath, runDirectory } from './run-layout.js'
import { manifestPath } from './run-manifest.js'
import { sidecar } from './sidecar.js'

/** Where the directory of each run is noted, in the runs' root. */
const RUN_PATHS = '_run_paths.json'

/** Turns one batch of a log's run events into file changes and rows of the store. */
export class RunRecorder {
  readonly #store: RunFilesStore
  readonly #batch: FileBatch
  readonly #changed = new Map<string, RunFile>()

  constructor(store: RunFilesStore, batch: FileBatch) {
    this.#store = store
    this.#batch = batch
  }

  /** @throws InvalidInput when the event is malformed; nothing has changed then. */
  record(event: FoldEvent): void {
    if (event.isEmpty) return
    const runId = event.level(2)
    if (event.level(3) === 'order') {
      this.#accept(event.as(RunOrder), event.position)
      return
    }
    const run = this.#store.run(runId)
    if (event.level(3) === 'retired') {
      if (run !== null) this.#retire(run, event.as(RunRetired))
      return
    }
    if (run === null) throw new InvalidInput(`Run ${runId} has no order.`)
    if (event.level(3) === 'losses') this.#store.addLoss(event.position, runId, event.as(SampleLoss))
    else if (event.level(4) === 'samples') this.#append(run, event.level(3), event.as(SampleBlock))
    else this.#follow(run, event.as(SlotState))
  }

  /** Stores the lengths of the files once they are written. */
  finish(lengths: ReadonlyMap<string, number>): void {
    for (const [path, file] of this.#changed) this.#store.put({ ...file, bytes: lengths.get(path) ?? file.bytes })
  }

  #accept(order: RunOrder, position: number): void {
    if (this.#store.run(order.run_id) !== null) return
    const directory = runDirectory(order, (path, slot) => this.#store.isTaken(path, slot))
    this.#store.addRun(order, directory, position)
    this.#batch.makeDirectory(directory)
    this.#noteDirectories()
  }

  #noteDirectories(): void {
    const directories = this.#store.directories()
    if (Object.keys(directories).length === 0) this.#batch.remove(RUN_PATHS)
    else this.#batch.replace(RUN_PATHS, `${JSON.stringify(directories, null, 2)}\n`)
  }

  /** The run's own files leave, whatever else lies in its directory. */
  #retire({ order, directory }: KnownRun, { run_id }: RunRetired): void {
    if (this.#store.slotEnds(run_id).length < order.slots.length) {
      throw new InvalidInput(`Run ${run_id} has not ended; its files stay.`)
    }
    const changed = [...this.#changed.values()].filter((file) => file.run_id === run_id)
    for (const { path } of [...this.#store.filesOf(run_id), ...changed]) {
      this.#batch.remove(`${directory}/${path}`)
      this.#changed.delete(`${directory}/${path}`)
    }
    this.#batch.remove(manifestPath(run_id))
    this.#store.forgetRun(run_id)
    this.#noteDirectories()
  }

  #file(run: KnownRun, slot: string, modeIndex: number, kind: RunFile['kind'], suffix: string): RunFile {
    const path = modeBasePath(run.order, slot, modeIndex) + suffix
    const run_id = run.order.run_id
    return (
      this.#changed.get(`${run.directory}/${path}`) ??
      this.#store.file(run_id, path) ?? {
        run_id,
        path,
        slot,
        mode_index: modeIndex,
        kind,
        bytes: 0,
        row_count: 0,
        complete: false,
      }
    )
  }

  #change(run: KnownRun, file: RunFile): void {
    this.#changed.set(`${run.directory}/${file.path}`, file)
  }

  /** The CSV of a mode, with its header from the very start. */
  #csv(run: KnownRun, slot: string, modeIndex: number): RunFile {
    const mode = run.order.modes[modeIndex]
    if (mode === undefined) {
      throw new InvalidInput(`mode_index is ${modeIndex}; run ${run.order.run_id} has ${run.order.modes.length} modes.`)
    }
    const file = this.#file(run, slot, modeIndex, 'csv', '.csv')
    const path = `${run.directory}/${file.path}`
    if (file.bytes === 0 && !this.#changed.has(path)) {
      this.#batch.append(path, 0, csvHeader(mode.columns))
      this.#change(run, file)
    }
    return file
  }

  #append(run: KnownRun, slot: string, block: SampleBlock): void {
    const file = this.#csv(run, slot, block.mode_index)
    const end = block.first + rowCount(block)
    if (end <= file.row_count) return
    if (file.complete) throw new InvalidInput(`${file.path} is complete; rows from ${file.row_count} on come too late.`)
    if (block.first > file.row_count) {
      const gap = `rows ${file.row_count} to ${block.first - 1} of ${file.path} are missing`
      this.#store.addProblem(file.run_id, slot, block.mode_index, gap)
    }
    const columns = run.order.modes[block.mode_index]?.columns ?? []
    const skip = Math.max(0, file.row_count - block.first)
    this.#batch.append(`${run.directory}/${file.path}`, file.bytes, csvRows(columns, block, run.order, skip))
    this.#change(run, { ...file, row_count: end })
  }

  #follow(run: KnownRun, state: SlotState): void {
    const { slot, mode_index, reports } = state
    if (isTerminal(state.status) && run.order.slots.includes(slot)) {
      const status = state.status as RunStatus
      this.#store.endSlot(run.order.run_id, { slot, status, ended_at: state.ended_at ?? state.timestamp })
    }
    if (mode_index !== null) this.#csv(run, slot, mode_index)
    for (const report of reports) this.#csv(run, slot, report.mode_index)
    for (const file of this.#openModes(run, slot)) {
      const passed = mode_index !== null && file.mode_index < mode_index
      const reported = reports.some((report) => report.mode_index === file.mode_index)
      if (passed || reported || isTerminal(state.status)) this.#complete(run, state, file)
    }
  }

  #openModes(run: KnownRun, slot: string): readonly RunFile[] {
    const open = new Map(this.#store.openModes(run.order.run_id, slot).map((file) => [file.path, file]))
    for (const file of this.#changed.values()) {
      if (file.run_id === run.order.run_id && file.slot === slot && file.kind === 'csv') open.set(file.path, file)
    }
    return [...open.values()].filter(({ complete }) => !complete)
  }

  /** No more rows will come: the sidecar and the table of an evaluation are written, the plot is put on the list. */
  #complete(run: KnownRun, state: SlotState, csv: RunFile): void {
    const { slot } = state
    const modeIndex = csv.mode_index
    this.#change(run, { ...csv, complete: true })
    const losses = this.#store.losses(csv.run_id, slot, modeIndex)
    const json = this.#file(run, slot, modeIndex, 'json', '.json')
    this.#batch.replace(`${run.directory}/${json.path}`, sidecar(run.order, state, modeIndex, csv.row_count, losses))
    this.#change(run, { ...json, complete: true })
    const evaluation = state.reports.find(({ mode_index }) => mode_index === modeIndex)?.evaluation
    if (evaluation !== undefined) {
      const table = this.#file(run, slot, modeIndex, 'cdl', '_cdl.csv')
      this.#batch.replace(`${run.directory}/${table.path}`, cdlCsv(evaluation))
      this.#change(run, { ...table, complete: true })
    }
    if (run.order.make_plot && csv.row_count > 1) this.#change(run, this.#file(run, slot, modeIndex, 'png', '.png'))
  }
}
