import { readFile } from 'node:fs/promises'
import { type Static, Type } from '@sinclair/typebox'
import type { RunOrder } from '../../events/potentiostat/run-order.js'
import { codedWarnings, RecordedWarnings } from '../../events/run-warnings.js'
import { checkJson } from '../../events/schema.js'
import { replaceFileSync } from '../../primitives/replace-file.js'
import { type RunField, readCsvRows } from './csv-reader.js'
import { Decimator } from './decimate.js'
import { drawPlot } from './draw-plot.js'
import { type PlotKind, plotSpec } from './plot-spec.js'

/** A plot of a finished CSV. */
export interface ArtifactRequest {
  readonly csvPath: string
  readonly targetPath: string
  /** The JSON beside the CSV: what it warns of stands in the plot. */
  readonly sidecarPath: string
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
  const image = await plot(request)
  replaceFileSync(request.targetPath, image)
  return image.length
}

const fieldsOf = ({ order, modeIndex }: ArtifactRequest): readonly RunField[] =>
  (order.modes[modeIndex]?.columns ?? []).map(({ field }) => field as RunField)

async function plot(request: ArtifactRequest): Promise<Uint8Array> {
  const { csvPath, rows, order, slot, modeIndex } = request
  const decimator = new Decimator(rows, MOST_POINTS)
  for await (const row of readCsvRows(csvPath, fieldsOf(request))) decimator.add(row)
  const mode = order.modes[modeIndex]
  const notes = await readNotes(request.sidecarPath)
  const title = `${order.experiment_name} · ${slot} · ${mode?.mode ?? ''}`
  const subtitle = [order.run_id, order.timestamp, ...(order.simulated ? ['simulated'] : [])].join(' · ')
  return drawPlot(plotSpec(plotKind(mode?.plot), decimator.end(), { title, subtitle, notes }))
}

const Warnings = Type.Object({ warnings: RecordedWarnings })

/** Sentences without a code, as early logs hold them, were never drawn. */
async function readNotes(sidecarPath: string): Promise<readonly string[]> {
  const { warnings }: Static<typeof Warnings> = checkJson(Warnings, await readFile(sidecarPath, 'utf8'), 'sidecar')
  return codedWarnings(warnings).map(({ message }) => message)
}

function plotKind(name: string | undefined): PlotKind {
  return name === 'iv' || name === 'iv_cycles' || name === 'impedance' ? name : 'time_series'
}
