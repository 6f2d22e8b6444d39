import type { ModeEvaluation, ModeReport, RangeChoice } from '../../../events/potentiostat/mode-report.js'
import type { MeasurementWarning, RunWarningCode } from '../evaluation/run-warnings.js'
import { SaturationCount } from '../evaluation/saturation.js'
import type { Samples } from './plan.js'

/** What the driver notices during one mode; filled while it runs, so that it is there however the mode ends. */
export class AcquisitionStats {
  samples = 0
  lostSamples = 0
  underruns = 0
  /** Samples that are evaluated or shown, and how many of them are clipped. */
  readonly saturation = new SaturationCount()
  samplePeriodS: number | null = null
  tiaOhm: number | null = null
  /** How the range was chosen; null when the order names it. */
  range: RangeChoice | null = null
  cellOffVerified = false
  minQueuedPoints: number | null = null
  polledReadings: number | null = null
  evaluation: ModeEvaluation | null = null
  /** The mode measures to compute a result, and there is none. */
  noResult = false
  /** Why the measurement ended before its time, as it was asked to. */
  endedBy: string | null = null
  readonly #warnings: MeasurementWarning[] = []

  get saturatedSamples(): number {
    return this.saturation.saturated
  }

  /** In the order of the measurement: what was noticed, then what is clipped. */
  get warnings(): readonly MeasurementWarning[] {
    const clipped = this.tiaOhm === null ? [] : this.saturation.warnings(this.tiaOhm)
    const ended =
      this.endedBy === null ? [] : [{ code: 'limit_reached', message: `Ended early: ${this.endedBy}.` } as const]
    return [...clipped, ...this.#warnings, ...ended]
  }

  warn(code: RunWarningCode, message: string): void {
    this.#warnings.push({ code, message })
  }

  countSaturated({ current, saturated }: Pick<Samples, 'current' | 'saturated'>): void {
    this.saturation.add(current.length, saturated)
  }

  /** @param rows rows published of this mode. */
  report(modeIndex: number, rows: number, retries: number): ModeReport {
    const { warnings } = this
    return {
      mode_index: modeIndex,
      rows,
      samples: this.samples,
      lost_samples: this.lostSamples,
      underruns: this.underruns,
      saturated_samples: this.saturatedSamples,
      retries,
      sample_period_s: this.samplePeriodS,
      tia_ohm: this.tiaOhm,
      ...(this.range === null ? {} : { range: this.range }),
      cell_off_verified: this.cellOffVerified,
      ...(this.minQueuedPoints === null ? {} : { min_queued_points: this.minQueuedPoints }),
      ...(this.polledReadings === null ? {} : { polled_readings: this.polledReadings }),
      ...(warnings.length === 0 ? {} : { warnings: warnings.map((known) => ({ ...known, mode_index: modeIndex })) }),
      ...(this.endedBy === null ? {} : { ended_by: this.endedBy }),
      ...(this.noResult ? { no_result: true } : {}),
      ...(this.evaluation === null ? {} : { evaluation: this.evaluation }),
    }
  }
}
