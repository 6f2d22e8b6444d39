import type { Config } from '../config.js'
import { defineError } from '../events/core/errors.js'

const PortInUse = defineError('port.in_use', 'state', 'Another program listens on a port of the settings.')
const PortDenied = defineError('port.denied', 'state', 'The user may not listen on a port of the settings.')
const HostUnknown = defineError('host.unknown', 'state', 'The machine has no such address as HOST says.')

type Listening = NodeJS.ErrnoException & { readonly port?: number; readonly address?: string }

/** An error of listening in terms of the settings; any other error as it is. */
export function portProblem(
  { host, httpPort, mqttPort, mqttWsPort }: Pick<Config, 'host' | 'httpPort' | 'mqttPort' | 'mqttWsPort'>,
  error: unknown,
): unknown {
  const { code, port } = error as Listening
  const ports: readonly [string, number][] = [
    ['MQTT_PORT', mqttPort],
    ['MQTT_WS_PORT', mqttWsPort],
    ['HTTP_PORT', httpPort],
  ]
  const [setting] = ports.find(([, configured]) => configured === port) ?? []
  if (code === 'EADDRINUSE' && setting !== undefined) {
    return new PortInUse(`${setting} is ${port}; another program listens there.`, {
      cause: error,
      remediation: `Stop that program, or set ${setting} to another port; 0 picks a free one.`,
    })
  }
  if (code === 'EACCES' && setting !== undefined) {
    return new PortDenied(`${setting} is ${port}; this user may not listen there.`, {
      cause: error,
      remediation: `Set ${setting} to 1024 or above.`,
    })
  }
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return new HostUnknown(`HOST is ${host}; this machine has no such address.`, {
      cause: error,
      remediation: 'Set HOST to an address of this machine, or to 0.0.0.0 for all of them.',
    })
  }
  return error
}
