import type { RunColumn } from '../../events/potentiostat/run-order.js'
import type { SampleBlock } from '../../events/potentiostat/samples.js'
import { csvNumber } from './csv-number.js'

const LINE_END = '\r\n'

/** Header line of a mode's CSV. */
export const csvHeader = (columns: readonly RunColumn[]): string =>
  columns.map(({ header }) => header).join(',') + LINE_END

/** Rows in a block. */
export const rowCount = (block: SampleBlock): number => (block.frequency ?? block.current).length

/** How a mode's rows lie in time. */
export interface RowTiming {
  /** Nominal sample period, s. */
  readonly period_s: number
  /** Samples averaged into one row. */
  readonly average: number
}

/** Rows of a block as CSV text, from row `skip` of the block on.
 * Measured values travel with 9 significant digits and are restored to the float32 they were, then printed as doubles. */
export function csvRows(
  columns: readonly RunColumn[],
  block: SampleBlock,
  { period_s, average }: RowTiming,
  skip = 0,
): string {
  const cells = columns.map(({ field }) => cellsOf(field, block, period_s, average))
  const rows = rowCount(block)
  let text = ''
  for (let row = skip; row < rows; row++) {
    for (let column = 0; column < cells.length; column++) {
      if (column > 0) text += ','
      text += cells[column]?.(row) ?? ''
    }
    text += LINE_END
  }
  return text
}

type Cells = (row: number) => string

function cellsOf(field: RunColumn['field'], block: SampleBlock, period: number, average: number): Cells {
  switch (field) {
    case 'exp':
      return () => '1.0'
    case 'cycle':
    case 'step':
      return labels(block[field])
    case 'saturated':
    case 'off_target':
      return labels(block[field], csvNumber(0))
    case 'current':
    case 'potential':
    case 'applied':
      return numbers(block[field]?.map(Math.fround))
    case 'time':
      if (block.time === undefined) return (row) => csvNumber((block.first_sample + row * average) * period)
      return numbers(block.time)
    default:
      return numbers(block[field])
  }
}

const numbers =
  (values: readonly number[] | undefined): Cells =>
  (row) => {
    const value = values?.[row]
    return value === undefined ? '' : csvNumber(value)
  }

/** Run-length coded labels, spread over the rows. */
function labels(runs: readonly (readonly [number, number])[] | undefined, absent = ''): Cells {
  const spread: string[] = []
  for (const [label, count] of runs ?? []) {
    const text = csvNumber(label)
    for (let i = 0; i < count; i++) spread.push(text)
  }
  return (row) => spread[row] ?? absent
}
