import { roundHalfEven } from '../../../../primitives/round.js'
import { leastSquares } from '../linear-equations.js'

/** The probe sits on the heater board, not in the liquid. The culture's temperature is told by how the probe cools after the heater
 * was switched off. Source: Pioreactor 26.7 `temperature_automation`. */

export type InferenceModel = 'linear' | 'two_exponential'

/** How an inference is made on a vessel. */
export interface InferencePlan {
  readonly model: InferenceModel
  /** Probe readings with the heater off. */
  readonly samples: number
  /** Between two of them, s; a reading takes about 0.3 s besides. */
  readonly gapS: number
  /** From one inference to the next, s. */
  readonly periodS: number
  /** From the start of the automation to the first, s. */
  readonly firstAfterS: number
  /** Whether the model was made for this vessel; else the nearest one is used. */
  readonly isKnownVessel: boolean
}

const GAP_S = 5

/** The plan of a vessel (`pioreactor_20ml`, `1.1`). */
export function inferencePlan(modelName: string, modelVersion: string): InferencePlan {
  if (modelName === 'pioreactor_20ml' && modelVersion === '1.0') {
    const plan = { model: 'two_exponential', samples: 29, gapS: GAP_S, periodS: 225, firstAfterS: 80 } as const
    return { ...plan, isKnownVessel: true }
  }
  const isKnownVessel = /^pioreactor_(20|40)ml(_XR)?$/.test(modelName)
  return { model: 'linear', samples: 21, gapS: GAP_S, periodS: 200, firstAfterS: 95, isKnownVessel }
}

/** Culture temperature in °C from probe readings after the heater was switched off, oldest first.
 * @param dutyPercent of the heater before. @returns rounded to 0.01 °C, or null when the readings fit no cooling. */
export function inferCultureC(
  model: InferenceModel,
  { dutyPercent, probeC }: { readonly dutyPercent: number; readonly probeC: readonly number[] },
): number | null {
  const inferred = dutyPercent === 0 ? (probeC.at(-1) ?? Number.NaN) : estimate(model, dutyPercent, probeC)
  return Number.isFinite(inferred) ? roundHalfEven(inferred, 2) : null
}

const estimate = (model: InferenceModel, dutyPercent: number, probeC: readonly number[]): number =>
  model === 'linear' ? linearEstimate(dutyPercent, probeC) : twoExponentialEstimate(probeC)

/** Below this the fall of the probe drowns in its resolution, %. */
const LEAST_DUTY = 5
/** By then a board that was heated is warmer than what lies around it, s. */
const LEAST_HEATED_S = 60
/** A tenth of what a real one falls during an inference: 10.2 °C after 45.57 % (`bioreactor-jobs` §8.2). */
const LEAST_FALL_C_PER_PERCENT = 0.02

/** Whether the probe did not see the heater go off. @param heatedS how long it had been on
 * @param probeC readings after that, oldest first */
export function isStuck({
  dutyPercent,
  heatedS,
  probeC,
}: {
  readonly dutyPercent: number
  readonly heatedS: number
  readonly probeC: readonly number[]
}): boolean {
  if (dutyPercent < LEAST_DUTY || heatedS < LEAST_HEATED_S) return false
  return (probeC[0] ?? 0) - (probeC.at(-1) ?? 0) < LEAST_FALL_C_PER_PERCENT * dutyPercent
}

const INTERCEPT = -6.171633633597331
/** For duty, 21 readings, first reading², last but one × duty: all divided by 35 first. */
const WEIGHTS = [
  -13.7221255, 150.807347, 15.280857, -71.7124615, -81.5352596, -58.2053398, -84.9915201, -36.97293, -0.0851994806,
  11.263567, 33.7434235, 33.6348041, 42.5731033, 67.2551219, 83.7883314, 62.9508694, 49.5735854, 18.6594862,
  0.312848519, -38.2815596, -56.2834504, -92.7840943, -7.62113224, 8.18877406,
]

/** Linear model of vessels since 1.1. @param probeC 21 readings. @returns °C, not rounded; NaN for another number of readings. */
export function linearEstimate(dutyPercent: number, probeC: readonly number[]): number {
  const z = [dutyPercent, ...probeC].map((value) => value / 35)
  const features = [...z, (z[1] ?? Number.NaN) ** 2, (z[20] ?? Number.NaN) * (z[0] ?? Number.NaN)]
  if (features.length !== WEIGHTS.length) return Number.NaN
  return features.reduce((total, feature, index) => total + feature * (WEIGHTS[index] ?? 0), INTERCEPT)
}

/** Room temperature that the two-exponential model assumes, °C. */
const ROOM_C = 22
/** What the two decay rates are pulled towards: −product and sum, with their weights. */
const PULL = [
  { weight: 100, towards: -0.0012 },
  { weight: 50, towards: -0.325 },
]

/** T = room + b·e^(p·x) + c·e^(q·x) for readings x = 0 … n−1; what the slow part has come to at x = n is the culture's temperature.
 * The rates are found from integrals of the readings (Jacquelin's method). @returns °C, not rounded; NaN when nothing decays so. */
export function twoExponentialEstimate(probeC: readonly number[]): number {
  const y = probeC.map((celsius) => celsius - ROOM_C)
  const S = cumulate(y)
  const SS = cumulate(S)
  const rows = y.map((_, x) => [SS[x] ?? 0, S[x] ?? 0, x, 1])
  const [A = Number.NaN, B = Number.NaN] = leastSquares(rows, y, PULL) ?? []
  const root = Math.sqrt(B * B + 4 * A)
  const [slow, fast] = [(B + root) / 2, (B - root) / 2]
  const decays = y.map((_, x) => [Math.exp(slow * x), Math.exp(fast * x)])
  const [amplitude = Number.NaN] = (Number.isNaN(root) ? null : leastSquares(decays, y)) ?? []
  return ROOM_C + amplitude * Math.exp(slow * probeC.length)
}

/** Integral by trapezoids, 0 at the first. */
function cumulate(values: readonly number[]): readonly number[] {
  let total = 0
  return values.map((value, index) => {
    if (index > 0) total += (value + (values[index - 1] ?? 0)) / 2
    return total
  })
}
