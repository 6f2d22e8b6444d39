import { type Static, Type } from '@sinclair/typebox'
import { defineEvent } from '../core/define-event.js'
import { Timestamp } from '../core/timestamp.js'
import { RUN_STATUSES } from '../run-status.js'
import { ModeReport } from './mode-report.js'

export const SlotState = Type.Object({
  slot: Type.String(),
  status: Type.Union(RUN_STATUSES.map((status) => Type.Literal(status))),
  started_at: Type.Union([Timestamp, Type.Null()]),
  ended_at: Type.Union([Timestamp, Type.Null()]),
  /** `cancelled`, or the reason of a failure; then the warnings of order and measurement, if any. */
  message: Type.Union([Type.String(), Type.Null()]),
  /** Index of the mode being measured; null before and after. */
  mode_index: Type.Union([Type.Integer(), Type.Null()]),
  reports: Type.Array(ModeReport),
  device_sn: Type.Union([Type.String(), Type.Null()]),
  /** The process died under the measurement: it ended with its last sample. */
  interrupted: Type.Optional(Type.Boolean()),
  timestamp: Timestamp,
})
export type SlotState = Static<typeof SlotState>

/** Monotonic until the run ends. */
export const RunProgress = Type.Object({
  progress_pct: Type.Integer({ minimum: 0, maximum: 100 }),
  remaining_s: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]),
  slots: Type.Record(Type.String(), Type.Object({ progress_pct: Type.Integer(), samples: Type.Integer() })),
  timestamp: Timestamp,
})
export type RunProgress = Static<typeof RunProgress>

export const slotStateEvent = defineEvent({
  pattern: 'potentiostat/<box>/<run_id>/<slot>/state',
  retained: true,
  payload: SlotState,
  doc: 'Where a slot stands in its run.',
})

export const runProgressEvent = defineEvent({
  pattern: 'potentiostat/<box>/<run_id>/progress',
  retained: true,
  payload: RunProgress,
  doc: 'Progress and remaining time of a run.',
})
