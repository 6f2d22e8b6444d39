import type { GatewayDeps } from './context.js'

/** What keeps the unit from working as it should, one sentence each; empty when all is well. */
export async function degradations({
  logStatus,
  readModels,
  readSide,
  bus,
  sessionCounts,
}: GatewayDeps): Promise<readonly string[]> {
  const log = logStatus()
  const sessions = sessionCounts?.()
  const service = await readModels.service()
  return [
    ...(log?.writable === false ? [`The event log cannot be written: ${log.reason ?? 'reason unknown'}.`] : []),
    ...(readSide?.degradations() ?? []),
    ...(bus.connected ? [] : ['The gateway has no connection to the broker.']),
    ...(sessions !== undefined && sessions.stored >= sessions.most
      ? [`There are ${sessions.stored} persistent MQTT sessions, the most there may be: new ones are refused.`]
      : []),
    ...(service?.state === 'ready'
      ? []
      : [`The services are ${service?.state ?? 'not started'}${service?.reason ? `: ${service.reason}` : ''}.`]),
  ]
}
