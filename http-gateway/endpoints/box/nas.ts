import { Type } from '@sinclair/typebox'
import { InvalidNasConfig, RunNotComplete } from '../../../events/nas/errors.js'
import { NasSetup } from '../../../events/nas/nas.js'
import { check } from '../../../events/schema.js'
import { LogUnavailable, NoAnswer } from '../../../events/system/errors.js'
import { order } from '../../commands.js'
import { ValidationError } from '../../conventions/box/lax-body.js'
import { type Endpoint, endpoint } from '../../framework/endpoint.js'
import { withSpooled } from '../../spool.js'
import { findRun, RunNotFound } from './run-files.js'

/** The services give up on a share after 25 s; two questions may wait for each other. */
const PROBE_TIMEOUT_MS = 60_000

const Probe = Type.Object({ ok: Type.Boolean(), message: Type.String() })
const Health = Type.Object({
  ok: Type.Boolean(),
  last_checked: Type.Union([Type.String(), Type.Null()]),
  message: Type.String(),
})
const Queued = Type.Object({
  ok: Type.Literal(true),
  enqueued: Type.Boolean(),
  run_id: Type.String(),
  message: Type.String(),
  uploaded: Type.Boolean(),
  last_error: Type.Union([Type.String(), Type.Null()]),
})

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
  response: Probe,
  needs: 'nothing',
  errors: [InvalidNasConfig, ValidationError, NoAnswer, LogUnavailable],
  async handle({ body }, context) {
    for (const field of ['host', 'share', 'username', 'password'] as const) {
      if (body[field] === '') throw new InvalidNasConfig(`${field} is empty.`)
    }
    const answer = await withSpooled(context.spoolDirectory, body, (spool) =>
      order(context, 'nas_setup', { spool }, { timeoutMs: PROBE_TIMEOUT_MS }),
    )
    const { ok, message } = check(Probe, answer, 'nas_setup')
    return { ok, message }
  },
})

const getNasHealth = endpoint({
  method: 'get',
  path: '/nas/health',
  summary: 'Probes the network share now, reading only.',
  response: Health,
  needs: 'nothing',
  errors: [NoAnswer, LogUnavailable],
  handle: async (_input, context) =>
    check(Health, await order(context, 'nas_health', {}, { timeoutMs: PROBE_TIMEOUT_MS }), 'nas_health'),
})

const uploadRun = endpoint({
  method: 'post',
  path: '/runs/:run_id/upload',
  summary:
    'Queues the files of an ended run for the network share; `uploaded` is true when they are there, else `last_error` is the reason.',
  params: Type.Object({ run_id: Type.String() }),
  response: Queued,
  needs: 'run files',
  errors: [RunNotFound, RunNotComplete, NoAnswer, LogUnavailable],
  async handle({ params }, context) {
    const { run_id } = await findRun(context, params.run_id)
    return check(Queued, await order(context, 'upload_run', { run_id }), 'upload_run')
  },
})

export const networkStorage: readonly Endpoint[] = [setUpNas, getNasHealth, uploadRun]
