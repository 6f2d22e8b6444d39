import { type Static, Type } from '@sinclair/typebox'
import { defineEvent } from '../core/define-event.js'
import { Timestamp } from '../core/timestamp.js'
import { RUN_ID_PATTERN } from '../topic.js'

/** What services, run-file sink and gateway tell each other about the network share. */

/** Body of `POST /nas/setup`. It holds a password: it travels in a spool file, never in a message. */
export const NasSetup = Type.Object({
  /** `name`, or `name:port` where the server does not listen on 445. */
  host: Type.String(),
  share: Type.String(),
  username: Type.String(),
  password: Type.String({ writeOnly: true }),
  base_subdir: Type.Optional(Type.String()),
  /** Local files are deleted so many days after their upload. */
  retention_days: Type.Optional(Type.Integer({ unit: 'days' })),
  domain: Type.Optional(Type.Union([Type.String(), Type.Null()])),
})
export type NasSetup = Static<typeof NasSetup>

/** The share in use and how the last probe of it ended. */
export const NasRecord = Type.Object({
  configured: Type.Boolean(),
  host: Type.Union([Type.String(), Type.Null()]),
  share: Type.Union([Type.String(), Type.Null()]),
  base_subdir: Type.Union([Type.String(), Type.Null()]),
  retention_days: Type.Union([Type.Integer(), Type.Null()]),
  /** How this computer reaches shares: `mount`, `smbclient`, or null when it cannot. */
  transport: Type.Union([Type.String(), Type.Null()]),
  last_checked: Type.Union([Timestamp, Type.Null()]),
  /** Null before the first probe. */
  ok: Type.Union([Type.Boolean(), Type.Null()]),
  message: Type.String(),
  timestamp: Timestamp,
})
export type NasRecord = Static<typeof NasRecord>

export const nasEvent = defineEvent({
  pattern: 'system/<unit>/nas',
  retained: true,
  payload: NasRecord,
  doc: 'The network share in use, and how the last probe of it ended.',
})

/** Where the copy of a run to the share stands. */
export const UploadRecord = Type.Object({
  run_id: Type.String({ pattern: RUN_ID_PATTERN }),
  /** `failed` with a `next_attempt_at` is tried again, without one it is given up. */
  status: Type.Union(['queued', 'uploading', 'done', 'failed'].map((status) => Type.Literal(status))),
  /** Attempts that ended, in success or failure. */
  attempts: Type.Integer({ minimum: 0 }),
  next_attempt_at: Type.Union([Timestamp, Type.Null()]),
  /** Why the last attempt failed. */
  reason: Type.Union([Type.String(), Type.Null()]),
  timestamp: Timestamp,
})
export type UploadRecord = Static<typeof UploadRecord>

export const uploadEvent = defineEvent({
  pattern: 'potentiostat/<box>/<run_id>/upload',
  retained: true,
  payload: UploadRecord,
  doc: 'Where the copy of a run to the network share stands.',
})

/** The run's files are on the share long enough and leave this computer. The run-file sink deletes them. */
export const RunRetired = Type.Object({
  run_id: Type.String({ pattern: RUN_ID_PATTERN }),
  uploaded_at: Timestamp,
  retention_days: Type.Integer({ minimum: 1 }),
  timestamp: Timestamp,
})
export type RunRetired = Static<typeof RunRetired>

export const runRetiredEvent = defineEvent({
  pattern: 'potentiostat/<box>/<run_id>/retired',
  retained: false,
  payload: RunRetired,
  doc: 'The files of a run are on the share long enough and leave this computer.',
})

/** Directory below the runs' root where the sink says which files a run has. No experiment can have this name. */
export const MANIFEST_DIRECTORY = '.benchlog'

/** `.benchlog/<run_id>.json`: the files of an ended run. Written when the last of them is complete, deleted when the run is retired. */
export const RunManifest = Type.Object({
  run_id: Type.String({ pattern: RUN_ID_PATTERN }),
  /** Relative to the runs' root, posix. Runs of one group may share it; their files never overlap. */
  directory: Type.String({ minLength: 1 }),
  status: Type.Union(['done', 'failed', 'cancelled'].map((status) => Type.Literal(status))),
  ended_at: Timestamp,
  /** Paths relative to the directory, posix, sorted. */
  files: Type.Array(Type.Object({ path: Type.String({ minLength: 1 }), bytes: Type.Integer({ minimum: 0 }) })),
})
export type RunManifest = Static<typeof RunManifest>
