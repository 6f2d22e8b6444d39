import { UploadRecord, uploadEvent } from '../../events/nas/nas.js'
import { ServiceRecord, serviceEvent } from '../../events/system/services.js'
import { TaskRecord, taskEvent } from '../../events/system/tasks.js'
import { matchesFilter } from '../../events/topic.js'
import type { SafeStateResult } from '../runtime/safe-state-result.js'
import { JOB_FILTERS, jobsLost } from './jobs.js'
import { OUTPUT_FILTERS, outputsOff } from './outputs.js'
import { type Correction, type Death, type FindRetained, type RetainedText, recordIn, retained } from './retained.js'
import { devicesUnwatched, RUN_FILTERS, runsInterrupted } from './runs.js'

const SERVICE = serviceEvent.filter()
const TASKS = taskEvent.filter()
const UPLOADS = uploadEvent.filter()
/** Everything that can be false once the services process is dead. */
export const FILTERS: readonly string[] = [SERVICE, TASKS, UPLOADS, ...JOB_FILTERS, ...RUN_FILTERS, ...OUTPUT_FILTERS]

export interface Aftermath {
  /** Whose outputs safe-state switched off. */
  readonly unit: string
  readonly death: Death
  /** Whether the gateway died too, and with it the orders it kept for the services. */
  readonly gatewayToo: boolean
  /** How the outputs were switched off since; null when that is not known. */
  readonly outputs: SafeStateResult | null
}

/** What is to be published when no services process lives, so that nothing retained claims otherwise. Whatever the dead process said last
 * of itself is corrected: its state, jobs and their settings, tasks, runs, devices, uploads, outputs. Nothing when all of it is true. */
export async function aftermath(find: FindRetained, of: Aftermath): Promise<readonly Correction[]> {
  const world = await find(FILTERS)
  const { unit, death, outputs } = of
  return [
    ...world.flatMap((value) => [
      ...serviceLost(value, death),
      ...taskFailed(value, of),
      ...uploadQueued(value, death),
    ]),
    ...jobsLost(world, death),
    ...(await runsInterrupted(world, find, death)),
    ...devicesUnwatched(world),
    ...(outputs === null ? [] : outputsOff(world, unit, outputs, death)),
  ]
}

function serviceLost(value: RetainedText, { at }: Death): readonly Correction[] {
  const record = matchesFilter(SERVICE, value.topic) ? recordIn(ServiceRecord, value) : null
  if (record === null || record.state === 'lost' || record.state === 'stopped') return []
  const lost: ServiceRecord = { ...record, state: 'lost', reason: 'the services process died', timestamp: at }
  return [retained(value.topic, lost)]
}

function taskFailed(value: RetainedText, { death, gatewayToo }: Aftermath): readonly Correction[] {
  const task = matchesFilter(TASKS, value.topic) ? recordIn(TaskRecord, value) : null
  if (task === null) return []
  if (task.status !== 'running' && !(task.status === 'pending' && gatewayToo)) return []
  const message =
    task.status === 'pending'
      ? 'The unit ended before the task began; it was not carried out.'
      : 'The services process ended before the task did.'
  const error = { code: 'task.interrupted', family: 'state', message } as const
  return [retained(value.topic, { ...task, status: 'failed', error, timestamp: death.now } satisfies TaskRecord)]
}

/** The upload begins again when the services are back. */
function uploadQueued(value: RetainedText, { now }: Death): readonly Correction[] {
  const record = matchesFilter(UPLOADS, value.topic) ? recordIn(UploadRecord, value) : null
  if (record?.status !== 'uploading') return []
  return [retained(value.topic, { ...record, status: 'queued', timestamp: now } satisfies UploadRecord)]
}
