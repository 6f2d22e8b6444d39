import { type Static, Type } from '@sinclair/typebox'
import { defineEvent } from '../core/define-event.js'
import { Timestamp } from '../core/timestamp.js'
import { RecordedWarnings } from '../run-warnings.js'
import { RUN_ID_PATTERN } from '../topic.js'

/** What a column of a run's CSV may show. */
const COLUMN_FIELDS = [
  'time',
  'current',
  'potential',
  'applied',
  'cycle',
  'step',
  'exp',
  'saturated',
  'off_target',
  'frequency',
  'z_real',
  'z_imag',
  'z_abs',
  'phase',
] as const

/** Which value a CSV column holds. `time` is sample index × period; others are arrays of a sample block. */
export const RunColumn = Type.Object({
  header: Type.String(),
  field: Type.Union(COLUMN_FIELDS.map((name) => Type.Literal(name))),
})
export type RunColumn = Static<typeof RunColumn>

/** One mode of a run, as every reader of the log needs it. */
export const RunMode = Type.Object({
  mode: Type.String(),
  params: Type.Record(Type.String(), Type.Unknown()),
  /** Rows the CSV must have in the end, after down-sampling. */
  rows: Type.Integer({ minimum: 0 }),
  planned_s: Type.Number({ minimum: 0 }),
  columns: Type.Array(RunColumn),
  /** How to draw it: `iv`, `iv_cycles`, `time_series`, `impedance`. */
  plot: Type.String(),
})
export type RunMode = Static<typeof RunMode>

/** Where the files of a run go: `contract` puts slot folders into the run's directory, `wells` into `Wells/` below it; `short` file names hold
 * experiment, slot and mode, `full` ones subdirectory and date too. */
export const RunFileLayout = Type.Object({
  layout: Type.Union([Type.Literal('contract'), Type.Literal('wells')]),
  file_name: Type.Union([Type.Literal('short'), Type.Literal('full')]),
})
export type RunFileLayout = Static<typeof RunFileLayout>

export const RunOrder = Type.Object({
  run_id: Type.String({ pattern: RUN_ID_PATTERN }),
  slots: Type.Array(Type.String(), { minItems: 1 }),
  modes: Type.Array(RunMode, { minItems: 1 }),
  /** `auto`: each mode's report tells its range. Null: that of the device is left. */
  tia_gain: Type.Union([Type.Integer(), Type.Null(), Type.Literal('auto')]),
  sampling_interval: Type.Union([Type.Number(), Type.Null()]),
  /** Samples averaged into one row. */
  average: Type.Integer({ minimum: 1 }),
  /** Nominal sample period h, s. */
  period_s: Type.Number(),
  experiment_name: Type.String(),
  subdir: Type.Union([Type.String(), Type.Null()]),
  client_datetime: Type.String(),
  group_id: Type.Union([Type.String(), Type.Null()]),
  make_plot: Type.Boolean(),
  /** Recorded with the order, so that a rebuild finds the same paths whatever the settings are then; absent: `contract`, `short`. */
  file_layout: Type.Optional(RunFileLayout),
  simulated: Type.Boolean(),
  warnings: RecordedWarnings,
  timestamp: Timestamp,
})
export type RunOrder = Static<typeof RunOrder>

export const runOrderEvent = defineEvent({
  pattern: 'potentiostat/<box>/<run_id>/order',
  retained: true,
  payload: RunOrder,
  doc: 'An accepted measurement order.',
})
