import { ODFused, ODReadings } from '../../../events/bioreactor/readings.js'
import { checkJson } from '../../../events/schema.js'
import type { OdBatch } from '../control/growth/growth-rate.js'
import type { Blank } from '../od/blank.js'

/** One set of readings as the growth rate takes it. */
export interface GrowthReading extends OdBatch {
  /** As it was published. */
  readonly timestamp: string
  /** How the light was turned into these numbers. What was learned of one is worth nothing to another. */
  readonly optics: string
  /** Whether one of them stands at the end of its calibration. */
  readonly isClamped: boolean
}

/** Reads a message. @throws InvalidInput */
export type ReadGrowthReading = (text: string) => GrowthReading

const secondsOf = (timestamp: string): number => Date.parse(timestamp) / 1000

/** All photodiodes with an angle. @param blank what is subtracted from raw readings. @throws InvalidInput */
export function readOds(text: string, blank: Blank): GrowthReading {
  const { timestamp, ods } = checkJson(ODReadings, text, 'ods')
  const readings = Object.entries(ods).sort(([one], [other]) => (one < other ? -1 : 1))
  const optics = readings.map(([channel, reading]) => {
    const { angle, ir_led_intensity } = reading
    const scale = reading.calibrated === 1 ? reading.calibration_name : `raw-${blank[channel] ?? 0}`
    return `${channel}/${angle}/${ir_led_intensity}/${scale}`
  })
  return {
    timestamp,
    atS: secondsOf(timestamp),
    od: Object.fromEntries(readings.map(([channel, { od }]) => [channel, od])),
    optics: optics.join(' '),
    isClamped: readings.some(([, reading]) => reading.calibrated === 1 && reading.quality !== undefined),
  }
}

/** Several angles in one number, which counts as a photodiode of its own. @throws InvalidInput */
export function readFused(text: string, estimator: string): GrowthReading {
  const { timestamp, od_fused, quality } = checkJson(ODFused, text, 'od_fused')
  return {
    timestamp,
    atS: secondsOf(timestamp),
    od: { '1': od_fused },
    optics: `fused/${estimator}`,
    isClamped: quality !== undefined,
  }
}
