import { csvNumber } from './csv-number.js'
import type { CsvRow } from './csv-reader.js'

/** Double-layer capacitance from cyclic voltammograms at several scan rates: in the middle of the window the current is capacitive,
 * I = C·v. Method of pyBEEP's CDL evaluation, with the window centre it intends. */

export interface CdlPoint {
  /** V/s */
  readonly scanRate: number
  /** Half the distance between anodic and cathodic current, A. */
  readonly current: number
}

export interface CdlEvaluation {
  readonly points: readonly CdlPoint[]
  /** F; null with fewer than two points. */
  readonly capacitance: number | null
  readonly rSquared: number | null
}

/** Half width of the potential window around the centre, V. */
const WINDOW_V = 0.01

/** @param cycles rows of each even cycle (the second of each scan rate); applied potential in V, current in A.
 * @param centre middle of the two vertices, V. */
export function evaluateCdl(cycles: readonly (readonly CsvRow[])[], centre: number): CdlEvaluation {
  const points = cycles.flatMap((rows) => {
    const point = capacitivePoint(rows, centre)
    return point === null ? [] : [point]
  })
  if (points.length < 2) return { points, capacitance: null, rSquared: null }
  const sum = (term: (point: CdlPoint) => number): number => points.reduce((total, point) => total + term(point), 0)
  const capacitance = sum(({ scanRate, current }) => scanRate * current) / sum(({ scanRate }) => scanRate ** 2)
  const residual = sum(({ scanRate, current }) => (current - capacitance * scanRate) ** 2)
  return { points, capacitance, rSquared: 1 - residual / sum(({ current }) => current ** 2) }
}

function capacitivePoint(rows: readonly CsvRow[], centre: number): CdlPoint | null {
  const potentials = rows.map(({ applied }) => applied ?? Number.NaN)
  const slopes = rows.map((_, index) => slopeAt(rows, potentials, index))
  const sorted = [...potentials].sort((a, b) => a - b)
  const [low, high] = [quantile(sorted, 0.15), quantile(sorted, 0.85)]
  const rates: number[] = []
  const anodic: number[] = []
  const cathodic: number[] = []
  rows.forEach(({ current }, index) => {
    const potential = potentials[index] ?? Number.NaN
    const slope = slopes[index] ?? Number.NaN
    // A rest holds the potential: it says nothing about the scan.
    if (slope === 0 || !Number.isFinite(slope) || current === undefined) return
    if (potential >= low && potential <= high) rates.push(Math.abs(slope))
    if (Math.abs(potential - centre) <= WINDOW_V) (slope > 0 ? anodic : cathodic).push(current)
  })
  if (rates.length === 0 || anodic.length === 0 || cathodic.length === 0) return null
  return { scanRate: median(rates), current: (median(anodic) - median(cathodic)) / 2 }
}

/** dE/dt by central difference, V/s. */
function slopeAt(rows: readonly CsvRow[], potentials: readonly number[], index: number): number {
  const before = Math.max(0, index - 1)
  const after = Math.min(rows.length - 1, index + 1)
  const duration = (rows[after]?.time ?? Number.NaN) - (rows[before]?.time ?? Number.NaN)
  return ((potentials[after] ?? Number.NaN) - (potentials[before] ?? Number.NaN)) / duration
}

/** Linear interpolation between the order statistics. */
function quantile(sorted: readonly number[], share: number): number {
  const place = (sorted.length - 1) * share
  const below = sorted[Math.floor(place)] ?? Number.NaN
  const above = sorted[Math.ceil(place)] ?? Number.NaN
  return below + (above - below) * (place - Math.floor(place))
}

const median = (values: readonly number[]): number =>
  quantile(
    [...values].sort((a, b) => a - b),
    0.5,
  )

/** `_cdl.csv`: one row per scan rate. */
export function cdlCsv({ points }: CdlEvaluation): string {
  const rows = points.map(({ scanRate, current }) => `${csvNumber(scanRate)},${csvNumber(current)},1`)
  return ['scan_rate_V_per_s,Icap_A,n_cycles', ...rows, ''].join('\r\n')
}
