import type { CsvRow, RunField } from './csv-reader.js'

/** Fields whose peaks must survive. */
const TRACKED: readonly RunField[] = ['current', 'potential']

/** Whether a reading of the row is clipped, or its current not the one asked for. */
export const isMarked = ({ saturated = 0, off_target = 0 }: CsvRow): boolean => saturated > 0 || off_target > 0

/** Thins rows to about `limit`: of each stretch of equally many rows those with the lowest and highest current and potential stay,
 * so that every peak is drawn, and one that is marked. A stretch never spans two cycles. What fits is kept as it is. */
export class Decimator {
  readonly points: CsvRow[] = []
  readonly #stretch: number
  #rows: CsvRow[] = []

  /** @param total rows that will come. */
  constructor(total: number, limit: number) {
    // A cycle's last stretch may be short: leave room for those of 50 cycles.
    const stretches = Math.max(1, Math.floor(limit / (2 * TRACKED.length)) - 50)
    this.#stretch = total <= limit ? 1 : Math.ceil(total / stretches)
  }

  add(row: CsvRow): void {
    if (this.#rows.length > 0 && this.#rows[0]?.cycle !== row.cycle && !Number.isNaN(row.cycle)) this.#close()
    this.#rows.push(row)
    if (this.#rows.length >= this.#stretch) this.#close()
  }

  /** @returns the points that stay, in their order. */
  end(): readonly CsvRow[] {
    this.#close()
    return this.points
  }

  #close(): void {
    if (this.#rows.length <= 2 * TRACKED.length) this.points.push(...this.#rows)
    else {
      const keep = new Set<number>()
      for (const field of TRACKED) for (const index of extremes(this.#rows, field)) keep.add(index)
      const marked = this.#rows.findIndex(isMarked)
      if (marked !== -1) keep.add(marked)
      for (const index of [...keep].sort((a, b) => a - b)) {
        const row = this.#rows[index]
        if (row !== undefined) this.points.push(row)
      }
    }
    this.#rows = []
  }
}

function extremes(rows: readonly CsvRow[], field: RunField): readonly [number, number] {
  let lowest = 0
  let highest = 0
  for (let index = 1; index < rows.length; index++) {
    const value = rows[index]?.[field] ?? Number.NaN
    if (value < (rows[lowest]?.[field] ?? Number.NaN)) lowest = index
    if (value > (rows[highest]?.[field] ?? Number.NaN)) highest = index
  }
  return [lowest, highest]
}
