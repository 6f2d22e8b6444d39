import type { Calibration } from '../../../events/bioreactor/calibrations.js'
import { defineError } from '../../../events/core/errors.js'

export const CalibrationUnsuitable = defineError(
  'calibration.unsuitable',
  'state',
  'The active calibration is one of another kind.',
)

export const EstimatorUnsuitable = defineError(
  'estimator.unsuitable',
  'state',
  'The active estimator is one of another kind.',
)

/** The domain over which a calibration was recorded; unbounded without recorded data. */
export const domainOf = ({ recorded_data: { x } }: Calibration): readonly [number, number] =>
  x.length === 0 ? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] : [Math.min(...x), Math.max(...x)]
