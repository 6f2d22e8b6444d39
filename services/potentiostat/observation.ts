import type { ModeEvaluation, ModeReport } from '../../events/payloads.js'
import { fullScaleCurrentA } from './registers.js'

/** Share of the full scale from which a reading counts as saturated: the amplifier has no over-range flag. */
const SATURATED = 0.98

/** What the driver notices during one mode; filled while it runs, so that it is there however the mode ends. */
export class Observation {
  samples = 0
  lostSamples = 0
  underruns = 0
  saturatedSamples = 0
  samplePeriodS: number | null = null
  tiaOhm: number | null = null
  cellOffVerified = false
  minQueuedPoints: number | null = null
  polledReadings: number | null = null
  evaluation: ModeEvaluation | null = null
  /** Why the measurement ended before its time, as it was asked to. */
  endedBy: string | null = null
  readonly warnings: string[] = []

  /** Counts currents, A, that the amplifier cannot tell from its limit. */
  countSaturated(current: Float32Array): void {
    const limit = this.tiaOhm === null ? Number.POSITIVE_INFINITY : SATURATED * fullScaleCurrentA(this.tiaOhm)
    for (const value of current) if (Math.abs(value) >= limit) this.saturatedSamples += 1
  }

  /** @param rows rows published of this mode. */
  report(modeIndex: number, rows: number, retries: number): ModeReport {
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
      cell_off_verified: this.cellOffVerified,
      ...(this.minQueuedPoints === null ? {} : { min_queued_points: this.minQueuedPoints }),
      ...(this.polledReadings === null ? {} : { polled_readings: this.polledReadings }),
      ...(this.warnings.length === 0 ? {} : { warnings: [...this.warnings] }),
      ...(this.endedBy === null ? {} : { ended_by: this.endedBy }),
      ...(this.evaluation === null ? {} : { evaluation: this.evaluation }),
    }
  }
}
