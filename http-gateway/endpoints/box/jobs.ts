import { Type } from '@sinclair/typebox'
import { defineError } from '../../../events/core/errors.js'
import { cancelRunCommand, startRunCommand } from '../../../events/potentiostat/commands.js'
import {
  InvalidName,
  InvalidRunOrder,
  InvalidRunParameters,
  NoSuchRun,
  RunIdTaken,
  SlotsBusy,
  UnknownSlots,
} from '../../../events/potentiostat/errors.js'
import { isTerminal } from '../../../events/run-status.js'
import { LogUnavailable, NoAnswer } from '../../../events/system/errors.js'
import type { RunRow } from '../../../projections/read-models.js'
import { order } from '../../commands.js'
import type { GatewayContext } from '../../context.js'
import { ValidationError } from '../../conventions/box/lax-body.js'
import { type Endpoint, endpoint } from '../../framework/endpoint.js'
import { withStatus } from '../../framework/errors.js'
import { keptText } from '../../framework/kept-text.js'
import { ProjectionsBehind } from '../../readiness.js'
import { isInGroup } from './group-label.js'
import { RunBody, runOrder } from './run-order.js'
import { RunStatusBody, RunSummary, runStatusBody, runSummary } from './run-status.js'

const MissingRunIds = defineError('jobs.missing_run_ids', 'input', 'Only empty run ids were given.')
const RunIdsUnknown = withStatus(
  404,
  defineError('jobs.run_ids_unknown', 'input', 'At least one run id is unknown; the message lists them.'),
)

const RunId = Type.Object({ run_id: Type.String() })

async function getRun({ readModels }: GatewayContext, runId: string): Promise<RunRow> {
  const run = await readModels.run(runId)
  if (run === null) throw new NoSuchRun('There is no run with this id.')
  return run
}

const startRun = endpoint({
  method: 'post',
  path: '/jobs',
  summary:
    'Orders a sequence of measurement modes on one or more potentiostats. All modes are checked before anything is measured.',
  body: RunBody,
  example: {
    devices: ['slot01'],
    modes: ['CV'],
    params_by_mode: { CV: { start: 0, vertex1: 0.5, vertex2: -0.5, end: 0, scan_rate: 0.05, cycles: 3 } },
    experiment_name: 'MyExperiment',
    client_datetime: '2025-11-03T10-15-31',
  },
  response: RunStatusBody,
  needs: 'services',
  errors: [
    ValidationError,
    InvalidRunOrder,
    UnknownSlots,
    RunIdTaken,
    InvalidName,
    InvalidRunParameters,
    SlotsBusy,
    NoAnswer,
    LogUnavailable,
    ProjectionsBehind,
  ],
  async handle({ body }, context) {
    const start = async (): Promise<string> => {
      const details = await runOrder(body, context)
      const { run_id } = await order(context, startRunCommand, details)
      return run_id
    }
    // A client that got no answer in time sends the same order again, named by its own group id.
    const runId = await (body.group_id ? context.idempotencyCache.once(JSON.stringify(body), start) : start())
    const run = await context.readModels.run(runId)
    if (run !== null) return runStatusBody(run)
    throw new ProjectionsBehind(`The run was accepted as ${runId} but is not visible yet.`)
  },
})

const summaries = keptText(runSummary)

const listRuns = endpoint({
  method: 'get',
  path: '/jobs',
  summary: 'Runs, the latest first; `state` and `group_id` filter.',
  query: Type.Object({
    state: Type.Optional(Type.Union([Type.Literal('incomplete'), Type.Literal('completed')])),
    group_id: Type.Optional(Type.String()),
  }),
  response: Type.Array(RunSummary),
  needs: 'run files',
  errors: [ValidationError],
  async handle({ query: { state, group_id = '' } }, { readModels }) {
    const all = await readModels.runs()
    if (state === undefined && group_id.trim() === '') return summaries(all)
    return summaries(
      all
        .filter(({ status }) => state === undefined || isTerminal(status) === (state === 'completed'))
        .filter((run) => group_id.trim() === '' || isInGroup(run, group_id)),
    )
  },
})

const getRunStatuses = endpoint({
  method: 'post',
  path: '/jobs/status',
  summary: 'State of several runs, in the order asked.',
  body: Type.Object({ run_ids: Type.Array(Type.String(), { minItems: 1, maxItems: 1000 }) }),
  example: { run_ids: ['20261120T094157_56a1cb'] },
  response: Type.Array(RunStatusBody),
  needs: 'run files',
  errors: [ValidationError, MissingRunIds, RunIdsUnknown],
  async handle({ body }, { readModels }) {
    const wanted = body.run_ids.filter((runId) => runId !== '')
    if (wanted.length === 0) throw new MissingRunIds('run_ids holds only empty strings.')
    const found = new Map(await Promise.all(wanted.map(async (runId) => [runId, await readModels.run(runId)] as const)))
    const unknown = wanted.filter((runId) => found.get(runId) === null)
    if (unknown.length > 0) {
      throw new RunIdsUnknown(`Unknown run ids: ${[...new Set(unknown)].sort().join(', ')}`)
    }
    return wanted.flatMap((runId) => {
      const run = found.get(runId) ?? null
      return run === null ? [] : [runStatusBody(run)]
    })
  },
})

const getRunStatus = endpoint({
  method: 'get',
  path: '/jobs/:run_id',
  summary: 'State and progress of a run.',
  params: RunId,
  response: RunStatusBody,
  needs: 'run files',
  errors: [NoSuchRun],
  handle: async ({ params }, context) => runStatusBody(await getRun(context, params.run_id)),
})

const cancelRun = endpoint({
  method: 'post',
  path: '/jobs/:run_id/cancel',
  summary:
    'Stops a run: queued slots at once, running ones within a second and with the cell disconnected. What was measured is kept.',
  params: RunId,
  response: Type.Object({ run_id: Type.String(), status: Type.String() }),
  status: 202,
  needs: 'run files',
  errors: [NoSuchRun, NoAnswer, LogUnavailable],
  async handle({ params: { run_id } }, context) {
    const { status } = await getRun(context, run_id)
    if (isTerminal(status)) return { run_id, status }
    await order(context, cancelRunCommand, { run_id })
    return { run_id, status: 'cancelled' }
  },
})

export const runs: readonly Endpoint[] = [startRun, listRuns, getRunStatuses, getRunStatus, cancelRun]
