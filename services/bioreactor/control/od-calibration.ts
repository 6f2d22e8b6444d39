import { type Curve, invert } from './curve.js'

/** A curve OD → V with the points it was recorded from. */
export interface OdCurve {
  readonly curve: Curve
  readonly recorded: { readonly x: readonly number[]; readonly y: readonly number[] }
}

/** OD of a voltage. Outside the recorded range the result is the OD of the nearer recorded extreme, and `outside` is true.
 * Source: Pioreactor 26.7 `CachedCalibrationTransformer`. */
export function calibratedOd(
  { curve, recorded }: OdCurve,
  volts: number,
): { readonly od: number; readonly outside: boolean } {
  const { x, y } = recorded
  const domain = x.length === 0 ? ([0, 100_000] as const) : ([Math.min(...x), Math.max(...x)] as const)
  const found = invert(curve, volts, domain)
  if (found.kind === 'inside') return { od: found.x, outside: false }
  const [lowest, highest] = y.length === 0 ? [0, 100_000] : [Math.min(...y), Math.max(...y)]
  const pairedOd = (extreme: number): number => (y.length === 0 ? extreme : (x[y.indexOf(extreme)] ?? 0))
  if (volts <= lowest) return { od: pairedOd(lowest), outside: true }
  if (volts >= highest) return { od: pairedOd(highest), outside: true }
  return { od: pairedOd(volts - lowest < highest - volts ? lowest : highest), outside: true }
}
