import type { TopLevelSpec } from 'vega-lite'
import type { CsvRow, RunField } from './csv-reader.js'
import { isMarked } from './decimate.js'

/** How a mode is drawn. */
export type PlotKind = 'iv' | 'iv_cycles' | 'time_series' | 'impedance'

export interface PlotTitle {
  readonly title: string
  readonly subtitle: string
  /** What the picture must not be looked at without, one sentence or two each. */
  readonly notes: readonly string[]
}

/** Letters of a note's line that are as wide as the plot: vega takes a letter for 0.8 of its height. */
const LINE_LENGTH: Readonly<Record<PlotKind, number>> = { iv: 76, iv_cycles: 76, time_series: 90, impedance: 104 }
/** The picture shows so many lines; the JSON beside it has all. */
const MOST_LINES = 10
export const MARK_COLOR = '#111111'
const MARK_NOTE = 'Black points: a reading at a limit of the device, or a current that is not the one asked for.'

export const FONT = 'DejaVu Sans'

/** How every plot looks. */
export const CONFIG = {
  font: FONT,
  padding: 16,
  background: 'white',
  title: { font: FONT, subtitleFont: FONT, fontSize: 18, subtitleFontSize: 13, anchor: 'start', offset: 14 },
  axis: {
    labelFontSize: 13,
    titleFontSize: 14,
    titleFontWeight: 'normal',
    titlePadding: 8,
    gridColor: '#e4e4e4',
    labelFlush: false,
  },
  legend: { labelFontSize: 13, titleFontSize: 13, symbolStrokeWidth: 3 },
  view: { stroke: '#888888' },
} as const

const PREFIXES = [
  [1e6, 'M'],
  [1e3, 'k'],
  [1, ''],
  [1e-3, 'm'],
  [1e-6, 'µ'],
  [1e-9, 'n'],
  [1e-12, 'p'],
] as const

/** Values in the unit their axis title names. */
interface Quantity {
  readonly title: string
  readonly value: (row: CsvRow) => number | null
  /** Lowest and highest value; [0, 0] when there is none. */
  readonly range: readonly [number, number]
}

/** A quantity with the SI prefix that keeps the axis numbers between 1 and 1000; potentials stay in V.
 * @param scaledBy the field whose size picks the prefix. */
function quantity(
  rows: readonly CsvRow[],
  field: RunField,
  name: string,
  unit: string,
  sign: 1 | -1 = 1,
  scaledBy: RunField = field,
): Quantity {
  const finite = (of: RunField): number[] => rows.map((row) => row[of] ?? Number.NaN).filter(Number.isFinite)
  const values = finite(field)
  const largest = finite(scaledBy).reduce((max, value) => Math.max(max, Math.abs(value)), 0)
  const fits = unit !== 'V' && largest > 0
  const [factor, prefix] = fits ? (PREFIXES.find(([size]) => largest >= size) ?? [1e-12, 'p']) : [1, '']
  const scaled = values.map((value) => (sign * value) / factor)
  return {
    title: `${name} (${prefix}${unit})`,
    value: (row) => {
      const value = row[field] ?? Number.NaN
      return Number.isFinite(value) ? (sign * value) / factor : null
    },
    range: scaled.reduce<[number, number]>(
      ([low, high], value) => [Math.min(low, value), Math.max(high, value)],
      [scaled[0] ?? 0, scaled[0] ?? 0],
    ),
  }
}

/** Scale that shows a constant as a constant instead of magnifying its last digit. */
function scaleOf({ range: [low, high] }: Quantity) {
  const middle = (low + high) / 2
  const least = Math.max(Math.abs(middle) * 0.02, 1e-3)
  return high - low < least ? { domain: [middle - least, middle + least], nice: true } : { zero: false, nice: true }
}

/** The vega-lite specification of a mode's plot: axes with units, title, legend where there is more than one cycle. */
export function plotSpec(kind: PlotKind, rows: readonly CsvRow[], { title, subtitle, notes }: PlotTitle): TopLevelSpec {
  const shown = [
    ...notes.map((note) => `⚠ ${note}`),
    ...(kind !== 'impedance' && rows.some(isMarked) ? [MARK_NOTE] : []),
  ]
  const lines = shown.flatMap((note) => wrapped(note, LINE_LENGTH[kind]))
  const more = lines.length > MOST_LINES ? ['… and more; the .json file has all.'] : []
  const below = lines.length === 0 ? subtitle : [subtitle, ...lines.slice(0, MOST_LINES), ...more]
  const head = { title: { text: title, subtitle: below }, config: CONFIG } as const
  switch (kind) {
    case 'time_series':
      return { ...head, ...timeSeries(rows) }
    case 'impedance':
      return { ...head, ...impedance(rows) }
    default:
      return { ...head, ...currentVoltage(rows) }
  }
}

/** Lines of whole words. */
function wrapped(text: string, length: number): readonly string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > length) {
      lines.push(line)
      line = '   '
    }
    line = line.trim() === '' ? line + word : `${line} ${word}`
  }
  return [...lines, line]
}

/** Points over a line. */
const points = { type: 'point', filled: true, size: 16, opacity: 1, color: MARK_COLOR } as const

function currentVoltage(rows: readonly CsvRow[]) {
  const potential = quantity(rows, 'potential', 'Potential', 'V')
  const current = quantity(rows, 'current', 'Current', 'A')
  const cycles = [
    ...new Set(rows.map(({ cycle }) => cycle).filter((cycle) => cycle !== undefined && !Number.isNaN(cycle))),
  ]
  const label = (cycle: number | undefined): string => `Cycle ${String(cycle)}`
  const values = rows.map((row, index) => ({
    index,
    x: potential.value(row),
    y: current.value(row),
    cycle: label(row.cycle),
  }))
  const marked = rows.flatMap((row) => (isMarked(row) ? [{ x: potential.value(row), y: current.value(row) }] : []))
  const color = {
    field: 'cycle',
    type: 'nominal',
    title: null,
    sort: cycles.map(label),
    scale: { scheme: 'tableau10' },
  } as const
  const x = { field: 'x', type: 'quantitative', title: potential.title, scale: scaleOf(potential) } as const
  const y = { field: 'y', type: 'quantitative', title: current.title, scale: scaleOf(current) } as const
  const line = {
    data: { values },
    mark: { type: 'line', strokeWidth: 1.6 },
    encoding: {
      x,
      y,
      order: { field: 'index', type: 'quantitative' },
      ...(cycles.length > 1 ? { color } : {}),
    },
  } as const
  const size = { width: 700, height: 470 } as const
  if (marked.length === 0) return { ...size, ...line }
  return { ...size, layer: [line, { data: { values: marked }, mark: points, encoding: { x, y } }] }
}

function timeSeries(rows: readonly CsvRow[]) {
  const panel = (shown: Quantity, color: string, isOff: (row: CsvRow) => boolean) => {
    const at = (row: CsvRow) => ({ x: row.time ?? null, y: shown.value(row) })
    const encoding = {
      x: { field: 'x', type: 'quantitative', title: 'Time (s)', scale: { zero: false, nice: false } },
      y: { field: 'y', type: 'quantitative', title: shown.title, scale: scaleOf(shown) },
    } as const
    const line = { data: { values: rows.map(at) }, mark: { type: 'line', strokeWidth: 1.6, color }, encoding } as const
    const marked = rows.filter(isOff).map(at)
    const size = { width: 860, height: 215 } as const
    if (marked.length === 0) return { ...size, ...line }
    return { ...size, layer: [line, { data: { values: marked }, mark: points, encoding }] }
  }
  const current = (row: CsvRow): boolean => ((row.saturated ?? 0) & 1) !== 0 || (row.off_target ?? 0) > 0
  const potential = (row: CsvRow): boolean => ((row.saturated ?? 0) & 2) !== 0
  return {
    vconcat: [
      panel(quantity(rows, 'current', 'Current', 'A'), '#c62828', current),
      panel(quantity(rows, 'potential', 'Potential', 'V'), '#1f5fa8', potential),
    ],
  }
}

const marked = (color: string) => ({ type: 'line', strokeWidth: 1.4, color, point: { size: 40, color } }) as const
const FREQUENCY = {
  field: 'frequency',
  type: 'quantitative',
  title: 'Frequency (Hz)',
  scale: { type: 'log', nice: false },
  axis: { format: '~g', labelOverlap: true },
} as const

const subtitle = (text: string) => ({ text, fontSize: 15, offset: 8 })

function impedance(rows: readonly CsvRow[]) {
  const real = quantity(rows, 'z_real', 'Z′', 'Ω', 1, 'z_abs')
  const imaginary = quantity(rows, 'z_imag', '−Z″', 'Ω', -1, 'z_abs')
  // One ohm is as long on either axis, else a semicircle would not look like one; both therefore have one unit.
  const left = Math.min(0, real.range[0])
  const bottom = Math.min(0, imaginary.range[0])
  const span = 1.05 * (Math.max(real.range[1] - left, imaginary.range[1] - bottom) || 1)
  const square = (from: number) => ({ domain: [from, from + span] })
  const nyquist = {
    width: 430,
    height: 430,
    title: subtitle('Nyquist'),
    data: { values: rows.map((row, index) => ({ index, x: real.value(row), y: imaginary.value(row) })) },
    mark: marked('#1f5fa8'),
    encoding: {
      x: { field: 'x', type: 'quantitative', title: real.title, scale: square(left) },
      y: { field: 'y', type: 'quantitative', title: imaginary.title, scale: square(bottom) },
      order: { field: 'index', type: 'quantitative' },
    },
  } as const
  const bode = rows.map(({ frequency, z_abs, phase }) => ({ frequency, z_abs, phase }))
  const panel = <Y extends object>(y: Y, color: string, title?: string) => ({
    width: 430,
    height: 180,
    ...(title === undefined ? {} : { title: subtitle(title) }),
    data: { values: bode },
    mark: marked(color),
    encoding: { x: FREQUENCY, y },
  })
  const magnitude = {
    field: 'z_abs',
    type: 'quantitative',
    title: '|Z| (Ω)',
    scale: { type: 'log' },
    axis: { format: '~s' },
  } as const
  const phase = { field: 'phase', type: 'quantitative', title: 'Phase (°)', scale: { zero: false } } as const
  return { hconcat: [nyquist, { vconcat: [panel(magnitude, '#c62828', 'Bode'), panel(phase, '#2e7d32')] }] }
}
