/** Least squares by Householder reflections: twice the digits that the normal equations have, which calibrations over decades need.
 * Columns are scaled to unit length first. @param rows of the design, at least as many as columns.
 * @returns null when the columns are not independent. */
export function orthogonalFit(rows: readonly (readonly number[])[], y: readonly number[]): readonly number[] | null {
  const width = rows[0]?.length ?? 0
  const scales = Array.from({ length: width }, (_, column) => Math.hypot(...rows.map((row) => row[column] ?? 0)))
  if (scales.some((scale) => scale === 0)) return null
  const work = rows.map((row, index) => [...row.map((value, column) => value / (scales[column] ?? 1)), y[index] ?? 0])
  const at = (row: number, column: number): number => work[row]?.[column] ?? 0
  for (let column = 0; column < width; column++) {
    const norm = Math.hypot(...work.slice(column).map((row) => row[column] ?? 0))
    if (norm < 1e-12) return null
    const alpha = at(column, column) > 0 ? -norm : norm
    const mirror = work.map((row, index) => (index < column ? 0 : (row[column] ?? 0) - (index === column ? alpha : 0)))
    const square = mirror.reduce((total, value) => total + value * value, 0)
    for (let other = column; other <= width; other++) {
      const projection = (2 * mirror.reduce((total, value, row) => total + value * at(row, other), 0)) / square
      work.forEach((row, index) => {
        row[other] = (row[other] ?? 0) - projection * (mirror[index] ?? 0)
      })
    }
  }
  const solution = Array<number>(width).fill(0)
  for (let row = width - 1; row >= 0; row--) {
    let rest = at(row, width)
    for (let column = row + 1; column < width; column++) rest -= at(row, column) * (solution[column] ?? 0)
    solution[row] = rest / at(row, row)
  }
  return solution.map((value, column) => value / (scales[column] ?? 1))
}
