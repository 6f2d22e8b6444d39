import { type Static, Type } from '@sinclair/typebox'
import { JOB_STATES } from './job-state.js'
import { RUN_STATUSES } from './run-status.js'
import { RecordedWarnings } from './run-warnings.js'
import { RUN_ID_PATTERN } from './topic.js'

/** Payloads that several folders share. Names are spelt as on the wire. */

/** RFC 3339 UTC with `Z`; 0, 3 or 6 fraction digits. */
export const Timestamp = Type.String({ pattern: '^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d{1,6})?Z$' })

const Angle = Type.Union([Type.Literal('45'), Type.Literal('90'), Type.Literal('135'), Type.Literal('180')])
const PdChannel = Type.Union([Type.Literal('1'), Type.Literal('2'), Type.Literal('3'), Type.Literal('4')])

/** Raw OD of one photodiode, in volts relative to the reference; blank-corrected values may be negative. */
export const RawODReading = Type.Object(
  {
    calibrated: Type.Literal(0),
    timestamp: Timestamp,
    angle: Angle,
    od: Type.Number(),
    channel: PdChannel,
    ir_led_intensity: Type.Number(),
  },
  { title: 'RawODReading' },
)
export type RawODReading = Static<typeof RawODReading>

export const CalibratedODReading = Type.Object(
  {
    calibrated: Type.Literal(1),
    timestamp: Timestamp,
    angle: Angle,
    od: Type.Number(),
    channel: PdChannel,
    ir_led_intensity: Type.Number(),
    calibration_name: Type.String(),
  },
  { title: 'CalibratedODReading' },
)
export type CalibratedODReading = Static<typeof CalibratedODReading>

export const ODReading = Type.Union([RawODReading, CalibratedODReading], { title: 'ODReading' })
export type ODReading = Static<typeof ODReading>

/** All signal channels of one reading. */
export const ODReadings = Type.Object(
  { timestamp: Timestamp, ods: Type.Record(Type.String(), ODReading) },
  { title: 'ODReadings' },
)
export type ODReadings = Static<typeof ODReadings>

export const ODFused = Type.Object({ od_fused: Type.Number(), timestamp: Timestamp }, { title: 'ODFused' })

export const MeasuredRPM = Type.Object(
  { measured_rpm: Type.Number({ minimum: 0 }), timestamp: Timestamp },
  { title: 'MeasuredRPM' },
)
export type MeasuredRPM = Static<typeof MeasuredRPM>

/** Temperature of the culture, ℃. */
export const Temperature = Type.Object({ timestamp: Timestamp, temperature: Type.Number() }, { title: 'Temperature' })

/** What an automation did last. Source: Pioreactor 26.7 `AutomationEvent`. */
export const AutomationEvent = Type.Object(
  {
    event_name: Type.String(),
    message: Type.Union([Type.String(), Type.Null()]),
    data: Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()]),
  },
  { title: 'AutomationEvent' },
)
export type AutomationEvent = Static<typeof AutomationEvent>

/** `pioreactor/<unit>/<experiment>/<kind>_automation/<kind>_automation_settings`: settings that were in force from `started_at` to
 * `ended_at`. `settings` is base64 text of a JSON object. An occurrence: not retained. */
export const AutomationSettings = Type.Object({
  pioreactor_unit: Type.String(),
  experiment: Type.String(),
  started_at: Timestamp,
  ended_at: Type.Union([Timestamp, Type.Null()]),
  automation_name: Type.String(),
  settings: Type.String(),
})
export type AutomationSettings = Static<typeof AutomationSettings>

export const LogMessage = Type.Object(
  { source: Type.String(), task: Type.String(), message: Type.String(), level: Type.String(), timestamp: Timestamp },
  { title: 'Log' },
)
export type LogMessage = Static<typeof LogMessage>

export const ErrorPayload = Type.Object({
  code: Type.String(),
  family: Type.Union((['input', 'state', 'hardware', 'defect'] as const).map((family) => Type.Literal(family))),
  message: Type.String(),
  remediation: Type.Optional(Type.String()),
  details: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
})

/** `system/<unit>/jobs/<job_id>`: everything the jobs table needs, republished whole at every change. Retained. */
export const JobRecord = Type.Object({
  job_id: Type.Integer({ minimum: 1 }),
  unit: Type.String(),
  experiment: Type.String(),
  job_name: Type.String(),
  job_source: Type.String(),
  started_at: Timestamp,
  ended_at: Type.Union([Timestamp, Type.Null()]),
  is_running: Type.Boolean(),
  leader: Type.String(),
  pid: Type.Integer(),
  is_long_running_job: Type.Boolean(),
  state: Type.Union(JOB_STATES.map((state) => Type.Literal(state))),
  /** How it was started, so that it can be started again after a crash. */
  start: Type.Optional(
    Type.Object({
      options: Type.Record(Type.String(), Type.Unknown()),
      args: Type.Optional(Type.Array(Type.String())),
      config_overrides: Type.Array(Type.Array(Type.String())),
    }),
  ),
  /** Why the job ended, when it did not end by request. */
  reason: Type.Union([Type.String(), Type.Null()]),
  /** Set when its process died under it, until the services have decided whether it starts again. */
  interrupted: Type.Optional(Type.Boolean()),
})
export type JobRecord = Static<typeof JobRecord>

/** `system/<unit>/tasks/<task_id>`: status and result of asynchronous work. Retained. */
export const TaskRecord = Type.Object({
  task_id: Type.String(),
  name: Type.String(),
  /** `pending`: accepted, and waiting in the gateway until the services are there. */
  status: Type.Union((['pending', 'running', 'succeeded', 'failed'] as const).map((status) => Type.Literal(status))),
  result: Type.Optional(Type.Unknown()),
  error: Type.Optional(ErrorPayload),
  timestamp: Timestamp,
})
export type TaskRecord = Static<typeof TaskRecord>

/** `system/<unit>/commands/<id>`, and `…/<setting>/set/outcome` (where `id` is absent). Not retained. */
export const CommandOutcome = Type.Object({
  id: Type.Optional(Type.String()),
  accepted: Type.Boolean(),
  /** What the command produced; for a `/set` the value now in force. */
  result: Type.Optional(Type.Unknown()),
  error: Type.Optional(ErrorPayload),
  timestamp: Timestamp,
})
export type CommandOutcome = Static<typeof CommandOutcome>

const TextMap = Type.Record(Type.String(), Type.String())

/** Orders on `system/<unit>/request/<name>`. Each carries the id its outcome is published under. */
export const requests = {
  run_job: Type.Object({
    id: Type.String(),
    job_name: Type.String(),
    args: Type.Optional(Type.Array(Type.String())),
    options: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
    env: Type.Optional(TextMap),
    config_overrides: Type.Optional(Type.Array(Type.Array(Type.String()))),
  }),
  /** At least one filter, or `all`. Filters are ANDed and apply to running jobs. */
  stop_jobs: Type.Object({
    id: Type.String(),
    all: Type.Optional(Type.Boolean()),
    job_name: Type.Optional(Type.String()),
    experiment: Type.Optional(Type.String()),
    job_source: Type.Optional(Type.String()),
    job_id: Type.Optional(Type.Integer()),
  }),
  /** Changes settings of a running job together: all are valid or none is applied. */
  update_job: Type.Object({
    id: Type.String(),
    job_name: Type.String(),
    settings: Type.Record(Type.String(), Type.Unknown()),
  }),
  start_run: Type.Object({
    id: Type.String(),
    run_id: Type.String({ pattern: RUN_ID_PATTERN }),
    devices: Type.Union([Type.Array(Type.String()), Type.Literal('all')]),
    modes: Type.Array(Type.String(), { minItems: 1 }),
    params_by_mode: Type.Record(Type.String(), Type.Record(Type.String(), Type.Unknown())),
    tia_gain: Type.Union([Type.Integer(), Type.Null(), Type.Literal('auto')]),
    sampling_interval: Type.Union([Type.Number(), Type.Null()]),
    experiment_name: Type.String(),
    subdir: Type.Union([Type.String(), Type.Null()]),
    client_datetime: Type.String(),
    group_id: Type.Union([Type.String(), Type.Null()]),
    make_plot: Type.Boolean(),
  }),
  cancel_run: Type.Object({ id: Type.String(), run_id: Type.String() }),
  rescan_devices: Type.Object({ id: Type.String() }),
  /** The settings of the share, password included, lie in a spool file that whoever carries the order out deletes. */
  nas_setup: Type.Object({ id: Type.String(), spool: Type.String() }),
  nas_health: Type.Object({ id: Type.String() }),
  /** Queues the files of an ended run for the share. */
  upload_run: Type.Object({ id: Type.String(), run_id: Type.String() }),
} as const
export type RequestName = keyof typeof requests
export type Request<N extends RequestName> = Static<(typeof requests)[N]>

/** `potentiostat/<box>/$devices/<slot>`. Retained; kept when the device is unplugged. */
export const DeviceRecord = Type.Object({
  slot: Type.String({ pattern: '^slot\\d{2}$' }),
  port: Type.String(),
  sn: Type.Union([Type.String(), Type.Null()]),
  connected: Type.Boolean(),
  /** `idle`, or the run that holds the slot. */
  run_id: Type.Union([Type.String(), Type.Null()]),
})
export type DeviceRecord = Static<typeof DeviceRecord>

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

/** `potentiostat/<box>/<run_id>/order`: the accepted order. Retained. */
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

/** Sample values as JSON numbers with 9 significant digits, enough to restore each float32 exactly. */
const Values = Type.Array(Type.Number())

/** `potentiostat/<box>/<run_id>/<slot>/samples`: about 100 ms of consecutive rows of one mode. Retained. */
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

/** A result computed from the rows of a mode. `cdl`: capacitive current per scan rate, and the capacitance in F fitted through the
 * origin; `r_squared` is null with fewer than two distinct scan rates. */
export const ModeEvaluation = Type.Object({
  kind: Type.Literal('cdl'),
  points: Type.Array(
    Type.Object({ scan_rate_V_per_s: Type.Number(), Icap_A: Type.Number(), n_cycles: Type.Integer() }),
  ),
  capacitance_f: Type.Number(),
  r_squared: Type.Union([Type.Number(), Type.Null()]),
})
export type ModeEvaluation = Static<typeof ModeEvaluation>

/** How the range of a mode was chosen where the order leaves it to us: by a probe of the cell, or from the currents that are asked for. */
export const RangeChoice = Type.Object({
  tia_gain: Type.Integer({ minimum: 0, maximum: 3 }),
  /** The largest |current| that the mode was expected to need, A; null when the probe cannot tell. */
  expected_a: Type.Union([Type.Number(), Type.Null()]),
  probe: Type.Union([
    Type.Null(),
    Type.Object({
      /** Of the cell at rest, and what was applied then, V. */
      rest_v: Type.Number(),
      potential_v: Type.Number(),
      duration_s: Type.Number(),
      /** Passed through the cell. */
      charge_c: Type.Number(),
      /** At the end of the probe, A. */
      current_a: Type.Number(),
    }),
  ]),
})
export type RangeChoice = Static<typeof RangeChoice>

/** What the driver observed of one finished mode; stands in the slot state and the run's sidecar file. */
export const ModeReport = Type.Object({
  mode_index: Type.Integer({ minimum: 0 }),
  rows: Type.Integer({ minimum: 0 }),
  samples: Type.Integer({ minimum: 0 }),
  lost_samples: Type.Integer({ minimum: 0 }),
  underruns: Type.Integer({ minimum: 0 }),
  saturated_samples: Type.Integer({ minimum: 0 }),
  retries: Type.Integer({ minimum: 0 }),
  sample_period_s: Type.Union([Type.Number(), Type.Null()]),
  tia_ohm: Type.Union([Type.Number(), Type.Null()]),
  range: Type.Optional(RangeChoice),
  /** CE switch read back as open after the measurement. */
  cell_off_verified: Type.Boolean(),
  /** Fewest points the DAC queue held while the waveform was not yet written whole. */
  min_queued_points: Type.Optional(Type.Integer()),
  /** Set when the device was polled because it queues no samples under current control: how many readings stand behind the rows. */
  polled_readings: Type.Optional(Type.Integer({ minimum: 0 })),
  /** The limit that ended the mode before its time, as the order wanted: it is complete with fewer rows. */
  ended_by: Type.Optional(Type.String()),
  /** The mode measures to compute a result, and there is none. */
  no_result: Type.Optional(Type.Boolean()),
  warnings: Type.Optional(RecordedWarnings),
  evaluation: Type.Optional(ModeEvaluation),
})
export type ModeReport = Static<typeof ModeReport>

/** `potentiostat/<box>/<run_id>/<slot>/state`. Retained. */
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

/** `potentiostat/<box>/<run_id>/progress`. Retained; monotonic until the run ends. */
export const RunProgress = Type.Object({
  progress_pct: Type.Integer({ minimum: 0, maximum: 100 }),
  remaining_s: Type.Union([Type.Integer({ minimum: 0 }), Type.Null()]),
  slots: Type.Record(Type.String(), Type.Object({ progress_pct: Type.Integer(), samples: Type.Integer() })),
  timestamp: Timestamp,
})
export type RunProgress = Static<typeof RunProgress>

/** `potentiostat/<box>/<run_id>/losses`: samples that never reached us. An occurrence: not retained. */
export const SampleLoss = Type.Object({
  slot: Type.String(),
  mode_index: Type.Integer(),
  after_row: Type.Integer(),
  lost_samples: Type.Integer({ minimum: 1 }),
  cause: Type.String(),
  timestamp: Timestamp,
})
export type SampleLoss = Static<typeof SampleLoss>

/** `system/<unit>/refusals`: a publish that access rights refused. The payload refused is not repeated. */
export const Refusal = Type.Object({
  client: Type.String(),
  topic: Type.String(),
  bytes: Type.Integer(),
  reason: Type.String(),
  timestamp: Timestamp,
})
export type Refusal = Static<typeof Refusal>

/** `$SYS/benchlog/log`: state of the log itself; never recorded. */
export const LogStatus = Type.Object({
  writable: Type.Boolean(),
  /** Last position on disk. */
  position: Type.Integer(),
  reason: Type.Union([Type.String(), Type.Null()]),
  timestamp: Timestamp,
})
export type LogStatus = Static<typeof LogStatus>
export const LOG_STATUS_TOPIC = '$SYS/benchlog/log'

/** `system/<unit>/service`: whether the services process is there, and whether its hardware is simulated. Retained, will `lost`. */
export const ServiceRecord = Type.Object({
  state: Type.Union(
    (['starting', 'ready', 'suspended', 'stopped', 'lost'] as const).map((state) => Type.Literal(state)),
  ),
  hardware: Type.Union([Type.Literal('simulated'), Type.Literal('real')]),
  /** Why work is suspended. */
  reason: Type.Union([Type.String(), Type.Null()]),
  /** Null in the last will, which is written before it happens: take the time it was recorded. */
  timestamp: Type.Union([Timestamp, Type.Null()]),
})
export type ServiceRecord = Static<typeof ServiceRecord>

/** `system/<unit>/safe_state`: how the outputs were switched off last. Retained. */
export const SafeStateRecord = Type.Object({
  /** Of this run of safe-state; it is told once. */
  id: Type.String(),
  /** Whether every output that was found is off. */
  safe: Type.Boolean(),
  /** `pwm`, `leds`, `potentiostats`, `cell switch <path>`. */
  done: Type.Array(Type.String()),
  failed: Type.Array(Type.Object({ step: Type.String(), reason: Type.String() })),
  /** By the machine's clock, whatever the speed of simulated time. */
  switched_off_at: Timestamp,
  timestamp: Timestamp,
})
export type SafeStateRecord = Static<typeof SafeStateRecord>

/** UTC with three fraction digits and `Z`. */
export const timestampOf = (date: Date): string => date.toISOString()
