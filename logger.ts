import { destination, pino } from 'pino'
import type { Logger } from './events/ports.js'

/** Structured logs on standard error, one JSON object per line; standard output is for people. */
export const createLogger = (level: string, process: string): Logger =>
  pino(
    { level, base: { process }, timestamp: () => `,"time":"${new Date().toISOString()}"` },
    destination({ fd: 2, sync: true }),
  )
