import { randomUUID } from 'node:crypto'
import { connectBus } from '../bus/connect-bus.js'
import type { Config } from '../config.js'
import type { Logger, MessageBus } from '../events/ports.js'
import { readServicePassword } from './home.js'

const ANY_ADDRESS = new Set(['0.0.0.0', '::'])

/** A host name as part of a URL on this machine. */
export function localHost(host: string): string {
  if (ANY_ADDRESS.has(host)) return '127.0.0.1'
  return host.includes(':') ? `[${host}]` : host
}

export type ConnectServiceBus = (options: {
  readonly name: string
  readonly will?: { readonly topic: string; readonly payload: string }
}) => Promise<MessageBus>

/** Opens connections to this unit's broker with the services' own password, over its socket: no setting of the doors for others,
 * be it address or TLS, stands between them. */
export function serviceBus(config: Config, logger: Logger): ConnectServiceBus {
  const password = readServicePassword(config)
  return ({ name, will }) =>
    connectBus({
      socketPath: config.brokerSocketPath,
      clientId: `${name}-${config.unit}-${randomUUID().slice(0, 8)}`,
      username: 'service',
      password,
      ...(will === undefined ? {} : { will }),
      logger,
    })
}
