/** Estimates of the constant behind samples of one photodiode. Times in s, values in raw converter units. */

export interface Samples {
  readonly times: readonly number[]
  readonly values: readonly number[]
}

/** Pull towards an earlier estimate; without effect unless value and weight are both non-zero. */
export interface Prior {
  readonly value: number
  /** Counts like so many samples. */
  readonly weight: number
}

export interface SineFit {
  readonly constant: number
  readonly amplitude: number
  readonly phase: number
  /** Akaike information criterion with three parameters; −∞ for a perfect fit. */
  readonly aic: number
}

/** Without the smallest and the largest sample (the first of equals), when there are more than two. */
export function trimExtremes({ times, values }: Samples): Samples {
  if (values.length <= 2) return { times, values }
  const lowest = values.indexOf(Math.min(...values))
  const others = values.map((value, index) => (index === lowest ? Number.NEGATIVE_INFINITY : value))
  const highest = others.indexOf(Math.max(...others))
  const kept = (_: number, index: number): boolean => index !== lowest && index !== highest
  return { times: times.filter(kept), values: values.filter(kept) }
}

/** Mean, pulled towards the prior. */
export function meanWithPrior(values: readonly number[], prior?: Prior): number {
  const sum = values.reduce((total, value) => total + value, 0)
  if (prior === undefined || prior.weight === 0) return sum / values.length
  return (sum + prior.weight * prior.value) / (values.length + prior.weight)
}

/** Least squares of constant + sinusoid of a known frequency: mains light in a photodiode averages out only over whole periods.
 * @returns null when the samples do not determine the three unknowns. Source: Pioreactor 26.7 `ADCReader`. */
export function fitSine({ times, values }: Samples, hz: number, prior?: Prior): SineFit | null {
  const omega = 2 * Math.PI * hz
  const weight = prior === undefined || prior.value === 0 ? 0 : prior.weight
  let [sumS, sumC, sumSS, sumSC, sumCC] = [0, 0, 0, 0, 0]
  let [sumX, sumXS, sumXC] = [0, 0, 0]
  values.forEach((x, index) => {
    const angle = omega * (times[index] ?? 0)
    const [s, c] = [Math.sin(angle), Math.cos(angle)]
    sumS += s
    sumC += c
    sumSS += s * s
    sumSC += s * c
    sumCC += c * c
    sumX += x
    sumXS += x * s
    sumXC += x * c
  })
  const n = values.length
  const solution = solve3(
    [
      [n + weight, sumS, sumC],
      [sumS, sumSS, sumSC],
      [sumC, sumSC, sumCC],
    ],
    [sumX + weight * (prior?.value ?? 0), sumXS, sumXC],
  )
  if (solution === null) return null
  const [constant, b, c] = solution
  const squares = values.reduce((total, x, index) => {
    const angle = omega * (times[index] ?? 0)
    return total + (x - (constant + b * Math.sin(angle) + c * Math.cos(angle))) ** 2
  }, 0)
  const aic = squares <= 1e-20 ? Number.NEGATIVE_INFINITY : n * Math.log(squares / n) + 6
  return { constant, amplitude: Math.hypot(b, c), phase: Math.atan2(c, b), aic }
}

/** The mains frequency that explains the samples better; 60 Hz on a tie, null when neither can be fitted. */
export function detectMainsHz(samples: Samples): 50 | 60 | null {
  const trimmed = trimExtremes(samples)
  const at60 = fitSine(trimmed, 60)
  const at50 = fitSine(trimmed, 50)
  if (at60 === null) return at50 === null ? null : 50
  return at50 !== null && at50.aic < at60.aic ? 50 : 60
}

type Vector3 = readonly [number, number, number]

/** Cramer's rule; null when the determinant is lost in rounding. */
function solve3([p, q, r]: readonly [Vector3, Vector3, Vector3], right: Vector3): Vector3 | null {
  const det = (a: Vector3, b: Vector3, c: Vector3): number =>
    a[0] * (b[1] * c[2] - b[2] * c[1]) - a[1] * (b[0] * c[2] - b[2] * c[0]) + a[2] * (b[0] * c[1] - b[1] * c[0])
  const whole = det(p, q, r)
  const scale = Math.abs(p[0] * q[1] * r[2])
  if (!(Math.abs(whole) > scale * 1e-12)) return null
  const replaced = (column: 0 | 1 | 2): number => {
    const swap = (row: Vector3, value: number): Vector3 => [
      column === 0 ? value : row[0],
      column === 1 ? value : row[1],
      column === 2 ? value : row[2],
    ]
    return det(swap(p, right[0]), swap(q, right[1]), swap(r, right[2])) / whole
  }
  return [replaced(0), replaced(1), replaced(2)]
}
