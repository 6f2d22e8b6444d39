import { type Static, Type } from '@sinclair/typebox'
import { defineEvent } from '../core/define-event.js'
import { Timestamp } from '../core/timestamp.js'

const Three = Type.Tuple([Type.Number(), Type.Number(), Type.Number()])

/** State of the growth-rate filter and how sure it is. Source: Pioreactor `KalmanFilterOutput`. */
export const KalmanFilterOutput = Type.Object(
  {
    /** ln of the normalised OD, growth rate in h⁻¹, its drift in h⁻². */
    state: Three,
    covariance_matrix: Type.Tuple([Three, Three, Three]),
    timestamp: Timestamp,
  },
  { title: 'KalmanFilterOutput' },
)
export type KalmanFilterOutput = Static<typeof KalmanFilterOutput>

export const kalmanFilterEvent = defineEvent({
  pattern: 'pioreactor/<unit>/<experiment>/growth_rate_calculating/kalman_filter_outputs',
  retained: false,
  payload: KalmanFilterOutput,
  doc: 'The filter behind a growth rate: ln of the normalised OD, growth rate in h⁻¹ and its drift in h⁻², with their covariances.',
})
