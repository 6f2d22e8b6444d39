/** A model of the culture's temperature from an infrared thermometer and the probe of the heater board; °C, mL.
 * Field names are those of its file. Source: `fir_temperature_estimator` of Pioreactor's precision-temperature add-on 0.2. */
export interface InfraredEstimator {
  readonly w_obj: number
  readonly w_amb: number
  readonly w_pcb: number
  readonly c: number
  readonly tau_s: number
  readonly k_vol: number
  readonly volume_ref_ml: number
  readonly user_bias_c: number
}

/** What the add-on begins with. */
export const SEED_INFRARED_ESTIMATOR: InfraredEstimator = {
  w_obj: 0.986277,
  w_amb: -0.126407,
  w_pcb: 0.088753,
  c: 1.083602,
  tau_s: 120,
  k_vol: -0.012317,
  volume_ref_ml: 25,
  user_bias_c: 0,
}

export interface InfraredSample {
  /** Of the thermometer: what it looks at, and itself. */
  readonly objectC: number
  readonly ambientC: number
  readonly boardC: number
  readonly volumeMl: number
}

const LEAST_S = 0.001

/** The temperature after a sample, smoothed with the time constant of the glass; not rounded.
 * @param before after the last sample, null for the first. @param sinceS that sample. */
export function infraredCultureC(
  estimator: InfraredEstimator,
  { objectC, ambientC, boardC, volumeMl }: InfraredSample,
  before: number | null,
  sinceS: number,
): number {
  const { w_obj, w_amb, w_pcb, c, tau_s, k_vol, volume_ref_ml, user_bias_c } = estimator
  const fromVolume = k_vol * (volumeMl - volume_ref_ml)
  const raw = w_obj * objectC + w_amb * ambientC + w_pcb * boardC + c + fromVolume + user_bias_c
  if (before === null) return raw
  const alpha = 1 - Math.exp(-Math.max(LEAST_S, sinceS) / Math.max(LEAST_S, tau_s))
  const smoothed = before + alpha * (raw - before)
  return Number.isFinite(smoothed) ? smoothed : raw
}
