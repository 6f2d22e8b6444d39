import { KalmanFilterOutput } from '../../events/bioreactor/growth.js'
import type { Fields, FoldEvent } from '../engine/fold-event.js'
import { type IndexDeclaration, type Projection, rowsProjection, type SqlValue } from '../engine/projection.js'
import { readModel } from '../engine/read-model.js'
import { activityViews } from './activity.js'
import { isScratch } from './scratch.js'
import { settingChanges } from './setting-changes.js'

/** The tables that Pioreactor's recorder writes (26.7), under its names and with its columns, so that existing notebooks work.
 * Where the recorder stamps its own clock we take the time the event was recorded. */

interface RecorderTable {
  /** 1 by default; raised when its columns or rules change. */
  readonly version?: number
  /** Topic filters below `pioreactor/<unit>/<experiment>/`. */
  readonly on: readonly string[]
  /** Columns after `experiment` and `pioreactor_unit`. */
  readonly columns: Readonly<Record<string, string>>
  readonly values: (event: FoldEvent) => readonly SqlValue[]
  /** Columns after experiment and unit whose equal values mark a repeated delivery. Plain payloads carry no time of their own, so
   * their repetitions cannot be told from equal values and stay. */
  readonly unique?: readonly string[]
  readonly indexes?: readonly IndexDeclaration[]
  readonly views?: Readonly<Record<string, string>>
}

const TIME = { timestamp: 'TEXT NOT NULL' } as const
const PD_CHANNEL = 'INTEGER NOT NULL CHECK (channel IN (1, 2, 3, 4))'
const LEVELS = ['DEBUG', 'INFO', 'NOTICE', 'WARNING', 'ERROR', 'CRITICAL']

/** One number with the time of its source. */
const reading = (topic: string, field: string, column: string): RecorderTable => ({
  on: [topic],
  columns: { ...TIME, [column]: 'REAL NOT NULL' },
  values: ({ fields }) => [fields.timestamp(), fields.number(field)],
  unique: ['timestamp'],
})

/** One number as a plain payload. */
const plainNumber = (topic: string, column: string): RecorderTable => ({
  on: [topic],
  columns: { ...TIME, [column]: 'REAL NOT NULL' },
  values: (event) => [event.recordedAt, event.number],
})

const automationEvents = (kind: string): RecorderTable => ({
  on: [`${kind}_automation/latest_event`],
  columns: { ...TIME, event_name: 'TEXT NOT NULL', message: 'TEXT', data: 'TEXT' },
  values: ({ fields, recordedAt }) => [
    recordedAt,
    fields.string('event_name'),
    fields.optionalString('message'),
    fields.jsonText('data', '""'),
  ],
})

const automationSettings = (kind: string): RecorderTable => ({
  on: [`${kind}_automation/${kind}_automation_settings`],
  columns: {
    started_at: 'TEXT NOT NULL',
    ended_at: 'TEXT',
    automation_name: 'TEXT NOT NULL',
    settings: 'BLOB NOT NULL',
  },
  values: ({ fields }) => [
    fields.string('started_at'),
    fields.optionalString('ended_at'),
    fields.string('automation_name'),
    fields.string('settings'),
  ],
})

const KALMAN_COLUMNS = [
  ...['state_0', 'state_1', 'state_2'],
  ...['cov_00', 'cov_01', 'cov_02', 'cov_11', 'cov_12', 'cov_22'],
]

const angle = (fields: Fields): number => Number(fields.oneOf('angle', ['45', '90', '135', '180']))

/** What a step of a PID controller starts from and gives. */
const PID_COLUMNS = [
  'output_limits_lb',
  'output_limits_ub',
  'Kd',
  'Ki',
  'Kp',
  'integral',
  'proportional',
  'derivative',
  'latest_input',
  'latest_output',
] as const

/** BCM pins of PWM channels 1 to 5 on the HAT. */
const PWM_PINS = [17, 13, 16, 12, 18] as const

export const RECORDER_TABLES: Readonly<Record<string, RecorderTable>> = {
  od_readings: {
    on: [1, 2, 3, 4].map((channel) => `od_reading/od${channel}`),
    columns: { ...TIME, od_reading: 'REAL NOT NULL', angle: 'INTEGER NOT NULL', channel: PD_CHANNEL },
    values: ({ fields }) => [fields.timestamp(), fields.number('od'), angle(fields), fields.integer('channel', 1, 4)],
    unique: ['channel', 'timestamp'],
  },
  raw_od_readings: {
    on: [1, 2, 3, 4].map((channel) => `od_reading/raw_od${channel}`),
    columns: { ...TIME, od_reading: 'REAL NOT NULL', channel: PD_CHANNEL },
    values: ({ fields }) => [fields.timestamp(), fields.number('od'), fields.integer('channel', 1, 4)],
    unique: ['channel', 'timestamp'],
  },
  od_readings_fused: reading('od_reading/od_fused', 'od_fused', 'od_reading'),
  od_readings_filtered: reading('growth_rate_calculating/od_filtered', 'od_filtered', 'normalized_od_reading'),
  growth_rates: reading('growth_rate_calculating/growth_rate', 'growth_rate', 'rate'),
  // As Pioreactor had it before 26: the upper half of the covariance, which is symmetric.
  kalman_filter_outputs: {
    on: ['growth_rate_calculating/kalman_filter_outputs'],
    columns: { ...TIME, ...Object.fromEntries(KALMAN_COLUMNS.map((column) => [column, 'REAL NOT NULL'])) },
    values: (event) => {
      const { timestamp, state, covariance_matrix } = event.as(KalmanFilterOutput)
      const [[c00, c01, c02], [, c11, c12], [, , c22]] = covariance_matrix
      return [timestamp, ...state, c00, c01, c02, c11, c12, c22]
    },
    unique: ['timestamp'],
  },
  temperature_readings: reading('temperature_automation/temperature', 'temperature', 'temperature_c'),
  stirring_rates: reading('stirring/measured_rpm', 'measured_rpm', 'measured_rpm'),
  ir_led_intensities: {
    ...reading('od_reading/relative_intensity_of_ir_led', 'relative_intensity_of_ir_led', 'relative_intensity'),
    values: ({ fields }) => [fields.string('timestamp'), fields.number('relative_intensity_of_ir_led')],
  },
  alt_media_fractions: plainNumber('bioreactor/alt_media_fraction', 'alt_media_fraction'),
  liquid_volumes: plainNumber('bioreactor/current_volume_ml', 'liquid_volume'),
  dosing_events: {
    on: ['dosing_events'],
    columns: {
      ...TIME,
      event: 'TEXT NOT NULL',
      volume_change_ml: 'REAL NOT NULL',
      source_of_event: 'TEXT',
    },
    values: ({ fields }) => [
      fields.timestamp(),
      fields.string('event'),
      fields.number('volume_change'),
      fields.optionalString('source_of_event'),
    ],
    unique: ['timestamp', 'event', 'volume_change_ml'],
    views: activityViews,
  },
  led_change_events: {
    on: ['led_change_events'],
    columns: {
      ...TIME,
      channel: "TEXT NOT NULL CHECK (channel IN ('A', 'B', 'C', 'D'))",
      intensity: 'REAL NOT NULL',
      source_of_event: 'TEXT',
    },
    values: ({ fields }) => [
      fields.timestamp(),
      fields.oneOf('channel', ['A', 'B', 'C', 'D']),
      fields.number('intensity'),
      fields.optionalString('source_of_event'),
    ],
    unique: ['timestamp', 'channel', 'intensity'],
  },
  logs: {
    on: ['logs/#'],
    columns: { ...TIME, message: 'TEXT NOT NULL', source: 'TEXT NOT NULL', level: 'TEXT', task: 'TEXT' },
    values: ({ fields }) => [
      fields.timestamp(),
      fields.string('message'),
      fields.string('source'),
      fields.oneOf('level', LEVELS),
      fields.string('task'),
    ],
    unique: ['timestamp', 'source', 'task', 'level', 'message'],
    indexes: [
      { columns: ['experiment', 'timestamp DESC'] },
      { columns: ['experiment', 'level', 'timestamp DESC'] },
      { columns: ['pioreactor_unit', 'timestamp DESC'] },
      { columns: ['level', 'timestamp DESC'] },
    ],
  },
  od_blanks: {
    version: 2,
    on: ['od_blank/mean/+'],
    columns: {
      ...TIME,
      channel: "TEXT NOT NULL CHECK (channel IN ('1', '2', '3', '4'))",
      angle: 'INTEGER NOT NULL',
      od_reading: 'REAL NOT NULL',
    },
    values: ({ fields }) => [
      fields.timestamp(),
      fields.oneOf('channel', ['1', '2', '3', '4']),
      angle(fields),
      fields.number('od'),
    ],
    unique: ['timestamp', 'channel'],
  },
  pwm_dcs: {
    on: ['pwms/dc'],
    columns: { ...TIME, ...Object.fromEntries(PWM_PINS.map((_, index) => [`channel_${index + 1}`, 'REAL'])) },
    values: ({ fields, recordedAt }) => [recordedAt, ...PWM_PINS.map((pin) => fields.numberOr(String(pin), 0))],
  },
  pid_logs: {
    on: ['pid_log/+'],
    columns: {
      ...TIME,
      target_name: 'TEXT NOT NULL',
      job_name: 'TEXT NOT NULL',
      setpoint: 'REAL',
      ...Object.fromEntries(PID_COLUMNS.map((column) => [column, 'REAL NOT NULL'])),
    },
    values: ({ fields, recordedAt }) => [
      recordedAt,
      fields.string('target_name'),
      fields.string('job_name'),
      fields.optionalNumber('setpoint'),
      ...PID_COLUMNS.map((column) => fields.number(column)),
    ],
  },
  experiment_profile_runs: {
    on: ['experiment_profile/+/experiment_profile_name'],
    columns: { started_at: 'TEXT NOT NULL', experiment_profile_name: 'TEXT NOT NULL' },
    values: ({ text, recordedAt }) => [recordedAt, text],
  },
  dosing_automation_events: automationEvents('dosing'),
  led_automation_events: automationEvents('led'),
  temperature_automation_events: automationEvents('temperature'),
  dosing_automation_settings: automationSettings('dosing'),
  led_automation_settings: automationSettings('led'),
  temperature_automation_settings: automationSettings('temperature'),
}

const OWNER = ['experiment', 'pioreactor_unit']

/** The recorder's tables as projections. */
const recorderTables: readonly Projection[] = Object.entries(RECORDER_TABLES).map(([name, table]) =>
  rowsProjection({
    name,
    version: table.version ?? 1,
    on: table.on.map((topic) => `pioreactor/+/+/${topic}`),
    columns: { experiment: 'TEXT NOT NULL', pioreactor_unit: 'TEXT NOT NULL', ...table.columns },
    shared: OWNER.length,
    indexes: [
      table.unique === undefined ? { columns: OWNER } : { columns: [...OWNER, ...table.unique], unique: true },
      ...(table.indexes ?? []),
    ],
    ...(table.views === undefined ? {} : { views: table.views }),
    row: (event) => {
      const experiment = event.level(2)
      if (event.isEmpty || isScratch(event)) return null
      return [experiment, event.level(1), ...table.values(event)]
    },
  }),
)

/** They are there for notebooks. */
export const recorder = readModel([...recorderTables, settingChanges])
