import { type Static, Type } from '@sinclair/typebox'
import { type CommandDefinition, defineCommand } from '../core/define-command.js'

/** How a probe of the share ended. A failed one is an answer, not an error. */
export const NasHealth = Type.Object({
  ok: Type.Boolean(),
  last_checked: Type.Union([Type.String(), Type.Null()]),
  message: Type.String(),
})
export type NasHealth = Static<typeof NasHealth>

export const nasSetupCommand = defineCommand({
  name: 'nas_setup',
  payload: Type.Object({ spool: Type.String() }),
  result: NasHealth,
  doc: 'Sets the network share, then probes reading and writing. Its settings, password included, lie in a spool file, which is deleted.',
})

export const nasHealthCommand = defineCommand({
  name: 'nas_health',
  payload: Type.Object({}),
  result: NasHealth,
  doc: 'Probes the network share, reading only.',
})

/** Where the upload of a run stands; `last_error` is why an earlier attempt failed. */
export const QueuedUpload = Type.Object({
  ok: Type.Literal(true),
  enqueued: Type.Boolean(),
  run_id: Type.String(),
  message: Type.String(),
  uploaded: Type.Boolean(),
  last_error: Type.Union([Type.String(), Type.Null()]),
})
export type QueuedUpload = Static<typeof QueuedUpload>

export const uploadRunCommand = defineCommand({
  name: 'upload_run',
  payload: Type.Object({ run_id: Type.String() }),
  result: QueuedUpload,
  doc: 'Queues the files of an ended run for the network share.',
})

/** Commands of the copies on the network share. */
export const nasCommands: readonly CommandDefinition[] = [nasSetupCommand, nasHealthCommand, uploadRunCommand]
