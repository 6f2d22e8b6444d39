import { type Static, Type } from '@sinclair/typebox'
import { type CommandDefinition, defineCommand } from '../core/define-command.js'
import { RunWarning } from '../run-warnings.js'
import { RUN_ID_PATTERN } from '../topic.js'

const OptionalText = Type.Union([Type.String(), Type.Null()], { default: null })

/** What is to be measured, where, and how the files are called: what an order of a run says whoever gives it. */
export const RunRequest = Type.Object({
  devices: Type.Union([Type.Array(Type.String()), Type.Literal('all')]),
  modes: Type.Array(Type.String(), { minItems: 1 }),
  params_by_mode: Type.Record(Type.String(), Type.Record(Type.String(), Type.Unknown()), { default: {} }),
  tia_gain: Type.Union([Type.Integer(), Type.Null(), Type.Literal('auto')], { default: 0 }),
  sampling_interval: Type.Union([Type.Number(), Type.Null()], { default: null, unit: 's' }),
  experiment_name: Type.String(),
  subdir: OptionalText,
  client_datetime: Type.String(),
  group_id: OptionalText,
  make_plot: Type.Boolean({ default: true }),
})

export const startRunCommand = defineCommand({
  name: 'start_run',
  payload: Type.Object({
    // No pattern of the schema: a name that cannot be one is `jobs.invalid_name`, like those of the folders.
    run_id: Type.String({ description: `Matches ${RUN_ID_PATTERN}; no other run ever had it.` }),
    ...RunRequest.properties,
  }),
  result: Type.Object({
    run_id: Type.String(),
    slots: Type.Array(Type.String()),
    warnings: Type.Array(RunWarning),
  }),
  doc: 'Starts a run of measurement modes on potentiostats. All of it is checked before anything is measured.',
})

export const cancelRunCommand = defineCommand({
  name: 'cancel_run',
  payload: Type.Object({ run_id: Type.String() }),
  result: Type.Object({ run_id: Type.String() }),
  doc: 'Ends a run: cells open next, what was measured is kept.',
})

const Slots = Type.Array(Type.String())

/** What a look for potentiostats found, by slot. */
export const DeviceScan = Type.Object({ devices: Slots, added: Slots, removed: Slots, busy: Slots })
export type DeviceScan = Static<typeof DeviceScan>

export const rescanDevicesCommand = defineCommand({
  name: 'rescan_devices',
  payload: Type.Object({}),
  result: DeviceScan,
  doc: 'Looks for potentiostats; slots in use are left alone.',
})

/** Commands of the box of potentiostats. */
export const potentiostatCommands: readonly CommandDefinition[] = [
  startRunCommand,
  cancelRunCommand,
  rescanDevicesCommand,
]
