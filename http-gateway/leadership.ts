import { isLeader } from '../events/config/config.js'
import { defineError } from '../events/core/errors.js'
import type { GatewayContext } from './context.js'
import { withStatus } from './framework/errors.js'
import { areCurrent, servicesNotReady } from './readiness.js'

export const LeaderOnly = withStatus(
  403,
  defineError('cluster.leader_only', 'state', 'Only the leader of a cluster does this, and this unit is a worker.'),
)

/** Whether this unit is the leader of its cluster; one of its own is. @throws ServicesNotReady when nobody told yet */
export async function leads(context: GatewayContext): Promise<boolean> {
  const { readModels, services, unit } = context
  const merged = (await areCurrent(context)) ? await readModels.mergedConfig(unit) : null
  if (merged === null) throw servicesNotReady(services.record()?.state)
  return isLeader(unit, merged.sections)
}

/** @throws LeaderOnly, ServicesNotReady */
export async function refuseWorker(context: GatewayContext): Promise<void> {
  if (!(await leads(context))) throw new LeaderOnly('This is only available on the leader.')
}
