import type { RunOrder } from '../../events/payloads.js'
import { cdlCsv, evaluateCdl } from './cdl.js'
import { type CsvRow, type RunField, readCsvRows } from './csv-reader.js'
import { Decimator } from './decimate.js'
import { drawPlot } from './draw-plot.js'
import { replaceFile } from './file-batch.js'
import { type PlotKind, plotSpec } from './plot-spec.js'

/** A file computed from a finished CSV. */
export interface ArtifactRequest {
  readonly kind: 'png' | 'cdl'
  readonly csvPath: string
  readonly targetPath: string
  /** Rows of the CSV. */
  readonly rows: number
  readonly order: RunOrder
  readonly slot: string
  readonly modeIndex: number
}

/** More points than pixels are of no use. */
const MOST_POINTS = 10_000

/** Writes the file. @returns its length in bytes. */
export async function makeArtifact(request: ArtifactRequest): Promise<number> {
  const content = request.kind === 'png' ? await plot(request) : await cdl(request)
  return replaceFile(request.targetPath, content)
}

const fieldsOf = ({ order, modeIndex }: ArtifactRequest): readonly RunField[] =>
  (order.modes[modeIndex]?.columns ?? []).map(({ field }) => field as RunField)

async function plot(request: ArtifactRequest): Promise<Uint8Array> {
  const { csvPath, rows, order, slot, modeIndex } = request
  const decimator = new Decimator(rows, MOST_POINTS)
  for await (const row of readCsvRows(csvPath, fieldsOf(request))) decimator.add(row)
  const mode = order.modes[modeIndex]
  const title = `${order.experiment_name} · ${slot} · ${mode?.mode ?? ''}`
  const subtitle = [order.run_id, order.timestamp, ...(order.simulated ? ['simulated'] : [])].join(' · ')
  return drawPlot(plotSpec(plotKind(mode?.plot), decimator.end(), { title, subtitle }))
}

function plotKind(name: string | undefined): PlotKind {
  return name === 'iv' || name === 'iv_cycles' || name === 'impedance' ? name : 'time_series'
}

async function cdl(request: ArtifactRequest): Promise<string> {
  const cycles = new Map<number, CsvRow[]>()
  for await (const row of readCsvRows(request.csvPath, fieldsOf(request))) {
    const { cycle } = row
    if (cycle === undefined || cycle % 2 !== 0) continue
    const rows = cycles.get(cycle)
    if (rows === undefined) cycles.set(cycle, [row])
    else rows.push(row)
  }
  const { vertex_a, vertex_b } = request.order.modes[request.modeIndex]?.params ?? {}
  return cdlCsv(evaluateCdl([...cycles.values()], (Number(vertex_a) + Number(vertex_b)) / 2))
}
