import { createReadStream } from 'node:fs'

/** What a column of a run's CSV holds. */
export type RunField =
  | 'time'
  | 'current'
  | 'potential'
  | 'applied'
  | 'cycle'
  | 'step'
  | 'exp'
  | 'saturated'
  | 'off_target'
  | 'frequency'
  | 'z_real'
  | 'z_imag'
  | 'z_abs'
  | 'phase'

/** One row of a run's CSV by field; a value that is not a number is NaN. */
export type CsvRow = Readonly<Partial<Record<RunField, number>>>

/** Rows of a run's CSV in order, read piece by piece so that its size does not matter.
 * @param fields what each column holds, in order. */
export async function* readCsvRows(path: string, fields: readonly RunField[]): AsyncGenerator<CsvRow> {
  let rest = ''
  let isHeader = true
  for await (const piece of createReadStream(path, { encoding: 'latin1', highWaterMark: 1 << 18 })) {
    const lines = (rest + String(piece)).split('\r\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      if (isHeader) isHeader = false
      else yield parseRow(line, fields)
    }
  }
}

function parseRow(line: string, fields: readonly RunField[]): CsvRow {
  const cells = line.split(',')
  const row: Partial<Record<RunField, number>> = {}
  for (let column = 0; column < fields.length; column++) {
    const field = fields[column]
    const cell = cells[column]
    if (field !== undefined) row[field] = cell === undefined || cell === '' ? Number.NaN : Number(cell)
  }
  return row
}
