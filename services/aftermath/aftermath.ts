import type { EventDefinition } from '../../events/core/define-event.js'
import { toErrorRecord } from '../../events/core/errors.js'
import { TaskInterrupted } from '../../events/system/errors.js'
import { ServicePartRecord, servicePartEvent } from '../../events/system/service-parts.js'
import { ServiceRecord, safeStateEvent, serviceEvent } from '../../events/system/services.js'
import { TaskRecord, taskEvent } from '../../events/system/tasks.js'
import { matchesFilter } from '../../events/topic.js'
import type { SafeStateResult } from '../runtime/safe-state-result.js'
import {
  type Correction,
  type Death,
  type FindLate,
  type FindRetained,
  type RetainedText,
  recordIn,
  retained,
} from './retained.js'
import { safeStateTold } from './safe-state.js'

const SERVICE = serviceEvent.filter()
const TASKS = taskEvent.filter()

/** What a dead services process, or a dead part of it, left behind. */
export interface Past {
  /** What is retained on the filters asked for. */
  readonly world: readonly RetainedText[]
  /** Looks up more. */
  readonly find: FindRetained
  /** The end of the log; nothing where the log is not at hand. */
  readonly late: FindLate
  readonly death: Death
  /** How the outputs were switched off since; null when that is not known. */
  readonly outputs: SafeStateResult | null
}

/** What of the retained values is false once a part of the services is dead. */
export interface PartAftermath {
  /** What must be known to tell. */
  readonly filters: readonly string[]
  /** What is to be published, so that nothing retained claims otherwise; nothing when all of it is true. */
  corrections(past: Past): readonly Correction[] | Promise<readonly Correction[]>
}

/** Retained events that are cleared. */
export const cleared = (events: readonly EventDefinition[]): PartAftermath => ({
  filters: events.map((event) => event.filter()),
  corrections: ({ world }) =>
    world.flatMap(({ topic }) => (events.some((event) => event.levels(topic) !== null) ? [retained(topic, '')] : [])),
})

/** Several as one. */
export const together = (parts: readonly PartAftermath[]): PartAftermath => ({
  filters: parts.flatMap(({ filters }) => filters),
  async corrections(past) {
    const all: Correction[] = []
    for (const part of parts) all.push(...(await part.corrections(past)))
    return all
  },
})

export interface Aftermath {
  /** Whose outputs safe-state switched off. */
  readonly unit: string
  readonly death: Death
  /** Whether the gateway died too, and with it the orders it kept for the services. */
  readonly gatewayToo: boolean
  /** How the outputs were switched off since; null when that is not known. */
  readonly outputs: SafeStateResult | null
  /** The end of the log, where it is at hand. */
  readonly late?: FindLate
}

/** Without a log at hand nothing is known to be late. */
export const nothingLate: FindLate = async () => []

/** Everything that can be false once the services process is dead. */
export const filtersOf = (parts: readonly PartAftermath[]): readonly string[] => [
  SERVICE,
  TASKS,
  servicePartEvent.filter(),
  safeStateEvent.filter(),
  ...together(parts).filters,
]

/** What is to be published when no services process lives, so that nothing retained claims otherwise. Whatever the dead process said last
 * of itself is corrected: its state, tasks, and what its parts say of themselves. Nothing when all of it is true.
 * @param parts of those that the process was made of. */
export async function aftermath(
  find: FindRetained,
  of: Aftermath,
  parts: readonly PartAftermath[],
): Promise<readonly Correction[]> {
  return correctionsOf(await find(filtersOf(parts)), find, of, parts)
}

/** As `aftermath`, for what was looked up already. */
export async function correctionsOf(
  found: readonly RetainedText[],
  find: FindRetained,
  of: Aftermath,
  parts: readonly PartAftermath[],
): Promise<readonly Correction[]> {
  const { unit, death, outputs, late = nothingLate } = of
  const world = saidHere(found, unit)
  return [
    ...world.flatMap((value) => [...serviceLost(value, death), ...partLost(value, death), ...taskFailed(value, of)]),
    ...(outputs === null ? [] : safeStateTold(world, unit, outputs, death)),
    ...(await together(parts).corrections({ world, find, late, death, outputs })),
  ]
}

/** What the services of this unit said, also under a former name of it. Other units may publish on its broker, and live while it is dead; but what stands
 * below `system/` is of its own services, so the names there are its own. */
export function saidHere(found: readonly RetainedText[], unit: string): readonly RetainedText[] {
  const levels = found.map(({ topic }) => topic.split('/', 2))
  const names = new Set([unit, ...levels.flatMap(([root, name = '']) => (root === 'system' ? [name] : []))])
  return found.filter((_, index) => {
    const [root, name = ''] = levels[index] ?? []
    return root !== 'pioreactor' || names.has(name)
  })
}

function serviceLost(value: RetainedText, { at }: Death): readonly Correction[] {
  const record = matchesFilter(SERVICE, value.topic) ? recordIn(ServiceRecord, value) : null
  if (record === null || record.state === 'lost' || record.state === 'stopped') return []
  const lost: ServiceRecord = { ...record, state: 'lost', reason: 'the services process died', timestamp: at }
  return [retained(value.topic, lost)]
}

function partLost(value: RetainedText, { at }: Death): readonly Correction[] {
  const record = servicePartEvent.levels(value.topic) === null ? null : recordIn(ServicePartRecord, value)
  if (record === null || record.state === 'lost' || record.state === 'stopped') return []
  const reason = 'the services process died'
  return [retained(value.topic, { state: 'lost', reason, timestamp: at } satisfies ServicePartRecord)]
}

function taskFailed(value: RetainedText, { death, gatewayToo }: Aftermath): readonly Correction[] {
  const task = matchesFilter(TASKS, value.topic) ? recordIn(TaskRecord, value) : null
  if (task === null) return []
  const isLost = task.status === 'running' || task.waits_for_lock === true || (task.status === 'pending' && gatewayToo)
  if (!isLost) return []
  const message =
    task.status === 'pending'
      ? 'The unit ended before the task began; it was not carried out.'
      : 'The services process ended before the task did.'
  const error = toErrorRecord(new TaskInterrupted(message))
  const { waits_for_lock: _, ...rest } = task
  return [retained(value.topic, { ...rest, status: 'failed', error, timestamp: death.now } satisfies TaskRecord)]
}
