import type { Config } from '../config.js'
import { localHost } from './service-bus.js'

/** The ports that the unit listens on. */
export interface Addresses {
  readonly http: number
  readonly mqtt: number
  readonly webSocket: number
}

/** What a unit that runs says of itself, lines of text. */
export function banner(config: Config, { http, mqtt, webSocket }: Addresses): readonly string[] {
  const host = localHost(config.host).replace('127.0.0.1', 'localhost')
  const s = config.tls === null ? '' : 's'
  const hardware =
    config.hardware === 'simulated'
      ? 'SIMULATED hardware: no real bioreactor or potentiostat is driven'
      : 'real hardware'
  return [
    `Benchlog runs unit ${config.unit} on ${hardware}.`,
    `  Dashboard and REST    http${s}://${host}:${http}`,
    `  API pages             http${s}://${host}:${http}/docs`,
    `  MQTT                  mqtt${s}://${host}:${mqtt}`,
    `  MQTT over WebSocket   ws${s}://${host}:${webSocket} and ws${s}://${host}:${http}/mqtt`,
    `  Data                  ${config.home}`,
    'Ctrl-C stops it.',
  ]
}
