import type { GatewayContext } from './context.js'
import { unfolded } from './readiness.js'

/** What keeps the unit from working as it should, one sentence each; empty when all is well. */
export async function degradations(context: GatewayContext): Promise<readonly string[]> {
  const log = context.logStatus()
  const sessions = context.sessionCounts?.()
  const service = context.services.record()
  return [
    ...(log?.writable === false ? [`The event log cannot be written: ${log.reason ?? 'reason unknown'}.`] : []),
    ...(context.readSide?.degradations() ?? []),
    ...(context.bridge?.degradations() ?? []),
    ...(context.bus.connected || context.floor() === null ? [] : ['The gateway has no connection to the broker.']),
    ...(sessions !== undefined && sessions.stored >= sessions.most
      ? [`There are ${sessions.stored} persistent MQTT sessions, the most there may be: new ones are refused.`]
      : []),
    ...(service?.state === 'ready'
      ? []
      : [`The services are ${service?.state ?? 'not started'}${service?.reason ? `: ${service.reason}` : ''}.`]),
    ...(await unfolded(context)),
  ]
}
