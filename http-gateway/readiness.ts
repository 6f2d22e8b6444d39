import { ANSWER_TIMEOUT_MS } from '../bus/commands.js'
import { defineError, type LabError } from '../events/core/errors.js'
import { pollUntil } from '../primitives/poll-until.js'
import { ReadModelsNotReady } from '../projections/read-models.js'
import type { GatewayContext } from './context.js'
import { withStatus } from './framework/errors.js'

/** What must be there before a handler runs. `read models`: folded as far as the log went when the unit started, so that no answer is
 * out of date; `run files`: those too, for a run ends with its files. `services`: they are there, and what they announced is folded. */
export type Needs = 'nothing' | 'read models' | 'run files' | 'services'

/** The services are not there, so nothing was ordered of them. */
export const ServicesNotReady = withStatus(
  503,
  defineError('services.not_ready', 'state', 'The services are starting or gone, so nothing was ordered of them.'),
)

/** What was ordered is done, but the read models do not tell of it yet. */
export const ProjectionsBehind = withStatus(
  503,
  defineError('projections.behind', 'state', 'The command was accepted, but the read models do not show it yet.'),
)

export const servicesNotReady = (state: string | undefined): LabError =>
  new ServicesNotReady(`The services are ${state ?? 'not started'}; nothing was done.`, {
    remediation: 'Try again in a moment.',
  })

const POLL_MS = 5

/** Waits until what is needed is there. @throws ServicesNotReady, ReadModelsNotReady after 1.5 s */
export async function awaitNeeds(context: GatewayContext, needs: Needs): Promise<void> {
  if (needs === 'nothing') return
  const end = performance.now() + ANSWER_TIMEOUT_MS
  const { services } = context
  if (needs === 'services' && !(await services.live(ANSWER_TIMEOUT_MS))) {
    throw servicesNotReady(services.record()?.state)
  }
  const missing = async (): Promise<string | null> => {
    const floor = context.floor()
    if (floor === null) return 'The event log is being opened.'
    const wanted = needs === 'services' ? Math.max(floor, services.since()) : floor
    const position = await folded(context)
    if (position < wanted) return behind(position, wanted)
    return needs === 'run files' && !context.areFilesWritten() ? FILES_BEHIND : null
  }
  const limitMs = end - performance.now()
  const reason = await pollUntil({ limitMs, everyMs: POLL_MS }, missing, (found) => found === null)
  if (reason !== null) throw new ReadModelsNotReady(reason, { remediation: 'Try again in a moment.' })
}

/** Position up to which the read models are a fold of this log; 0 when they are of another, which they will notice. */
async function folded({ readModels, log }: GatewayContext): Promise<number> {
  const position = await readModels.position()
  return position > log.lastPosition() ? 0 : position
}

const behind = (position: number, wanted: number): string =>
  `The read models have folded ${position} of ${wanted} events.`
const FILES_BEHIND = 'The run files are being written.'

/** Whether the read models tell of today. */
export async function areCurrent(context: GatewayContext): Promise<boolean> {
  const floor = context.floor()
  return floor !== null && (await folded(context)) >= floor
}

/** What the read side still has to do, one sentence each. */
export async function unfolded(context: GatewayContext): Promise<readonly string[]> {
  const floor = context.floor()
  if (floor === null) return ['The event log is being opened.']
  const position = await folded(context)
  return [...(position < floor ? [behind(position, floor)] : []), ...(context.areFilesWritten() ? [] : [FILES_BEHIND])]
}
