/** Solves A·x = b by elimination with row pivoting.
 * @param rows of A, square. @returns null when A is singular within rounding. */
export function solveLinear(rows: readonly (readonly number[])[], right: readonly number[]): readonly number[] | null {
  const n = rows.length
  const work = rows.map((row, index) => [...row, right[index] ?? Number.NaN])
  const at = (row: number, column: number): number => work[row]?.[column] ?? Number.NaN
  const scale = Math.max(...rows.flat().map(Math.abs))
  for (let column = 0; column < n; column++) {
    let pivot = column
    for (let row = column + 1; row < n; row++) if (Math.abs(at(row, column)) > Math.abs(at(pivot, column))) pivot = row
    // Also false for NaN.
    if (!(Math.abs(at(pivot, column)) > scale * 1e-14)) return null
    const swapped = work[column] ?? []
    work[column] = work[pivot] ?? []
    work[pivot] = swapped
    for (let row = column + 1; row < n; row++) {
      const factor = at(row, column) / at(column, column)
      work[row] = (work[row] ?? []).map((value, index) => value - factor * at(column, index))
    }
  }
  const solution = Array<number>(n).fill(0)
  for (let row = n - 1; row >= 0; row--) {
    let rest = at(row, n)
    for (let column = row + 1; column < n; column++) rest -= at(row, column) * (solution[column] ?? 0)
    solution[row] = rest / at(row, row)
  }
  return solution
}

/** Coefficients c that minimise Σ (y − Σ c_j·x_j)² + ridge, by the normal equations.
 * @param rows the x of each y. @param ridge per coefficient a weight and the value it pulls towards.
 * @returns null when the rows do not determine the coefficients. */
export function leastSquares(
  rows: readonly (readonly number[])[],
  y: readonly number[],
  ridge: readonly { readonly weight: number; readonly towards: number }[] = [],
): readonly number[] | null {
  const width = rows[0]?.length ?? 0
  const indices = Array.from({ length: width }, (_, index) => index)
  const dot = (one: number, value: (row: readonly number[], index: number) => number): number =>
    rows.reduce((total, row, index) => total + (row[one] ?? 0) * value(row, index), 0)
  const normal = indices.map((i) =>
    indices.map((j) => dot(i, (row) => row[j] ?? 0) + (i === j ? (ridge[i]?.weight ?? 0) : 0)),
  )
  const right = indices.map(
    (i) => dot(i, (_, index) => y[index] ?? 0) + (ridge[i]?.weight ?? 0) * (ridge[i]?.towards ?? 0),
  )
  return solveLinear(normal, right)
}
