import { type Static, Type } from '@sinclair/typebox'
import { defineEvent } from '../core/define-event.js'
import { Timestamp } from '../core/timestamp.js'

/** Sample values as JSON numbers with 9 significant digits, enough to restore each float32 exactly. */
const Values = Type.Array(Type.Number())

/** Consecutive rows of one mode. */
export const SampleBlock = Type.Object({
  /** Index into the order's `modes`. */
  mode_index: Type.Integer({ minimum: 0 }),
  /** Index of the first row in this mode, from 0; blocks of a mode are consecutive. */
  first: Type.Integer({ minimum: 0 }),
  /** Index of the first raw sample behind `first`, for the time axis: time = sample × period. */
  first_sample: Type.Integer({ minimum: 0 }),
  /** When the first sample was taken. */
  timestamp: Timestamp,
  /** A in `current`, V in `potential`, V or A in `applied`; all arrays of one length. Labels are run-length coded [value, count]. */
  current: Values,
  potential: Values,
  applied: Type.Optional(Values),
  cycle: Type.Optional(Type.Array(Type.Tuple([Type.Number(), Type.Integer()]))),
  step: Type.Optional(Type.Array(Type.Tuple([Type.Number(), Type.Integer()]))),
  /** Bits 1 (current) and 2 (potential): at the limit of the device in any sample behind the row. Absent: nowhere. Run-length coded. */
  saturated: Type.Optional(Type.Array(Type.Tuple([Type.Number(), Type.Integer()]))),
  /** 1 where the current asked for did not flow. Absent: nowhere. Run-length coded. */
  off_target: Type.Optional(Type.Array(Type.Tuple([Type.Number(), Type.Integer()]))),
  /** The impedance of a frequency is absent when its samples are clipped. */
  frequency: Type.Optional(Values),
  z_real: Type.Optional(Values),
  z_imag: Type.Optional(Values),
  z_abs: Type.Optional(Values),
  phase: Type.Optional(Values),
  /** Explicit times in s where they are not a multiple of the period (one row per frequency, polled modes). */
  time: Type.Optional(Values),
})
export type SampleBlock = Static<typeof SampleBlock>

export const SampleLoss = Type.Object({
  slot: Type.String(),
  mode_index: Type.Integer(),
  after_row: Type.Integer(),
  lost_samples: Type.Integer({ minimum: 1 }),
  cause: Type.String(),
  timestamp: Timestamp,
})
export type SampleLoss = Static<typeof SampleLoss>

export const samplesEvent = defineEvent({
  pattern: 'potentiostat/<box>/<run_id>/<slot>/samples',
  retained: true,
  payload: SampleBlock,
  doc: 'About 100 ms of consecutive samples; A, V and s.',
})

export const sampleLossEvent = defineEvent({
  pattern: 'potentiostat/<box>/<run_id>/losses',
  retained: false,
  payload: SampleLoss,
  doc: 'Samples that never reached us.',
})
