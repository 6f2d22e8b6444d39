import type { OdCalibration } from '../../../events/bioreactor/calibrations.js'
import type { OdEstimator } from '../../../events/bioreactor/estimators.js'
import type { ODReading, RawODReading } from '../../../events/bioreactor/readings.js'
import type { JobContext } from '../../jobs/job.js'
import { logRarely } from '../../jobs/log-rarely.js'
import type { PdChannel } from '../board/board.js'
import { type FusedOd, fuseOd } from '../control/od/fused-od.js'
import { calibratedOd } from '../control/od-calibration.js'

/** From light to optical density: the calibration of each channel, and the estimator that combines angles. */
export class OdScale {
  readonly #calibrations: ReadonlyMap<PdChannel, OdCalibration>
  readonly #estimator: OdEstimator | null
  readonly #logRarely

  constructor(
    job: Pick<JobContext, 'clock' | 'log'>,
    calibrations: ReadonlyMap<PdChannel, OdCalibration>,
    estimator: OdEstimator | null,
  ) {
    this.#calibrations = calibrations
    this.#estimator = estimator
    this.#logRarely = logRarely(job)
  }

  /** What says, in words, that it holds for another intensity than this; null when nothing does. */
  contradiction(percent: number): string | null {
    for (const { calibration_name: name, ir_led_intensity: own } of this.#calibrations.values()) {
      if (own !== percent) return `calibration '${name}' holds for ${own} %`
    }
    const estimator = this.#estimator
    return estimator === null || estimator.ir_led_intensity === percent
      ? null
      : `estimator '${estimator.estimator_name}' holds for ${estimator.ir_led_intensity} %`
  }

  /** Whether this reading is given in OD that is not what its calibration holds for. */
  isMismatched({ channel, ir_led_intensity }: RawODReading): boolean {
    const own = this.#calibrations.get(channel)?.ir_led_intensity
    return own !== undefined && own !== ir_led_intensity
  }

  /** Calibrated where there is a calibration. */
  calibrate(reading: RawODReading): ODReading {
    const calibration = this.#calibrations.get(reading.channel)
    if (calibration === undefined) return reading
    const { curve_data_: curve, recorded_data: recorded, calibration_name } = calibration
    const { od, outside } = calibratedOd({ curve, recorded }, reading.od)
    if (outside) {
      const message = `The signal is outside calibration '${calibration_name}'; its limit of OD ${od} is reported instead.`
      this.#logRarely('warning', calibration_name, message)
    }
    const { timestamp, angle, channel, ir_led_intensity } = reading
    const calibrated = { calibrated: 1, timestamp, angle, od, channel, ir_led_intensity, calibration_name } as const
    return outside ? { ...calibrated, quality: 'clamped' } : calibrated
  }

  /** OD of all angles together, from raw readings; null without an estimator, at another intensity, or when nothing fits.
   * Of two channels at one angle the last counts. */
  fuse(raw: readonly RawODReading[]): FusedOd | null {
    const estimator = this.#estimator
    if (estimator === null) return null
    const { estimator_name: name, ir_led_intensity: percent } = estimator
    if (raw.some(({ ir_led_intensity }) => ir_led_intensity !== percent)) {
      this.#logRarely('error', 'intensity', `No fused OD: estimator '${name}' holds for ${percent} % IR only.`)
      return null
    }
    const byAngle = Object.fromEntries(raw.map(({ angle, od }) => [angle, od]))
    const fused = fuseOd(estimator, byAngle)
    if (fused === null) {
      const angles = estimator.angles.join(', ')
      this.#logRarely('warning', 'nothing fits', `No fused OD: estimator '${name}' needs the angles ${angles}.`)
    } else if (fused.atBound) {
      this.#logRarely('warning', 'bound', `The fused OD is at the end of what estimator '${name}' was recorded for.`)
    }
    return fused
  }
}
