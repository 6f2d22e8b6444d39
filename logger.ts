import { destination, pino } from 'pino'
import type { Logger } from './events/ports.js'

/** Structured logs on standard error, one JSON object per line; standard output is for people. */
export function createLogger(level: string, process: string): Logger {
  const stream = destination({ fd: 2, sync: true })
  // The terminal may be closed before the unit has ended.
  stream.on('error', () => undefined)
  return pino({ level, base: { process }, timestamp: () => `,"time":"${new Date().toISOString()}"` }, stream)
}
