import { type Static, Type } from '@sinclair/typebox'
import { defineEvent } from '../core/define-event.js'
import { ErrorPayload } from '../core/error-payload.js'
import { Timestamp } from '../core/timestamp.js'
import { RUN_ID_PATTERN } from '../topic.js'

/** How a command ended; an order on a `/set` topic may have no `id`. */
export const CommandOutcome = Type.Object({
  id: Type.Optional(Type.String()),
  accepted: Type.Boolean(),
  /** What the command produced; for a `/set` the value now in force. */
  result: Type.Optional(Type.Unknown()),
  error: Type.Optional(ErrorPayload),
  timestamp: Timestamp,
})
export type CommandOutcome = Static<typeof CommandOutcome>

export const outcomeEvent = defineEvent({
  pattern: 'system/<unit>/commands/<id>',
  retained: false,
  payload: CommandOutcome,
  doc: 'Outcome of the request with that id.',
})

export const settingOutcomeEvent = defineEvent({
  pattern: 'pioreactor/<unit>/<experiment>/<job>/<setting>/set/outcome',
  retained: false,
  payload: CommandOutcome,
  doc: 'Outcome of a `/set`.',
})

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
  /** The settings of the share, password included, lie in a spool file, deleted by the service that carries the order out. */
  nas_setup: Type.Object({ id: Type.String(), spool: Type.String() }),
  nas_health: Type.Object({ id: Type.String() }),
  /** Queues the files of an ended run for the share. */
  upload_run: Type.Object({ id: Type.String(), run_id: Type.String() }),
} as const
export type RequestName = keyof typeof requests
export type Request<N extends RequestName> = Static<(typeof requests)[N]>
