import { publishEvent } from '../bus/publish-event.js'
import { timestampOf } from '../events/core/timestamp.js'
import { webServerEvent } from '../events/system/web-server.js'
import type { GatewayDeps } from './context.js'

interface Place {
  readonly host: string
  readonly port: number
  readonly isTls: boolean
}

/** As programs on the same computer reach it: a server on all addresses by the loopback. */
function urlOf({ host, port, isTls }: Place): string {
  const reachable = host === '0.0.0.0' || host === '::' || host === '' ? '127.0.0.1' : host
  return `${isTls ? 'https' : 'http'}://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}`
}

/** Tells where the web server listens, now and whenever the broker is back. @returns what ends it */
export function announceWebServer(
  { bus, unit, clock, logger }: Pick<GatewayDeps, 'bus' | 'unit' | 'clock' | 'logger'>,
  place: Place,
): () => void {
  return bus.onConnection((connected) => {
    if (!connected) return
    publishEvent(bus, webServerEvent, { unit }, { url: urlOf(place), timestamp: timestampOf(clock.now()) }).catch(
      (error: unknown) => logger.debug({ err: error }, 'the web server is not announced'),
    )
  })
}
