import { Type } from '@sinclair/typebox'
import {
  NasHealth,
  nasHealthCommand,
  nasSetupCommand,
  QueuedUpload,
  uploadRunCommand,
} from '../../../events/nas/commands.js'
import { InvalidNasConfig, RunNotComplete } from '../../../events/nas/errors.js'
import { NasSetup } from '../../../events/nas/nas.js'
import { LogUnavailable, NoAnswer } from '../../../events/system/errors.js'
import { order } from '../../commands.js'
import { ValidationError } from '../../conventions/box/lax-body.js'
import { type Endpoint, endpoint } from '../../framework/endpoint.js'
import { withSpooled } from '../../spool.js'
import { findRun, RunNotFound } from './run-files.js'

/** The services give up on a share after 25 s; two questions may wait for each other. */
const PROBE_TIMEOUT_MS = 60_000

const setUpNas = endpoint({
  method: 'post',
  path: '/nas/setup',
  summary:
    'Sets the network share that finished runs are uploaded to, then probes reading and writing; the answer contains the reason of a failed probe.',
  body: NasSetup,
  example: {
    host: 'nas.local',
    share: 'experiments',
    username: 'lab',
    password: '***',
    base_subdir: 'Box01',
    retention_days: 14,
  },
  response: Type.Pick(NasHealth, ['ok', 'message']),
  needs: 'nothing',
  errors: [InvalidNasConfig, ValidationError, NoAnswer, LogUnavailable],
  async handle({ body }, context) {
    const { ok, message } = await withSpooled(context.spoolDirectory, body, (spool) =>
      order(context, nasSetupCommand, { spool }, { timeoutMs: PROBE_TIMEOUT_MS }),
    )
    return { ok, message }
  },
})

const getNasHealth = endpoint({
  method: 'get',
  path: '/nas/health',
  summary: 'Probes the network share now, reading only.',
  response: NasHealth,
  needs: 'nothing',
  errors: [NoAnswer, LogUnavailable],
  handle: (_input, context) => order(context, nasHealthCommand, {}, { timeoutMs: PROBE_TIMEOUT_MS }),
})

const uploadRun = endpoint({
  method: 'post',
  path: '/runs/:run_id/upload',
  summary:
    'Queues the files of an ended run for the network share; `uploaded` is true when they are there, else `last_error` is the reason.',
  params: Type.Object({ run_id: Type.String() }),
  response: QueuedUpload,
  needs: 'run files',
  errors: [RunNotFound, RunNotComplete, NoAnswer, LogUnavailable],
  async handle({ params }, context) {
    const { run_id } = await findRun(context, params.run_id)
    return order(context, uploadRunCommand, { run_id })
  },
})

export const networkStorage: readonly Endpoint[] = [setUpNas, getNasHealth, uploadRun]
