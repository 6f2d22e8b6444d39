import type { JobContext, LogLevel } from './job.js'

/** Between two messages of one kind, s. */
const EVERY_S = 300

/** Logs what may be so at every reading: at most once in 5 minutes of each kind. */
export function logRarely(
  job: Pick<JobContext, 'clock' | 'log'>,
): (level: LogLevel, kind: string, message: string) => void {
  const loggedMs = new Map<string, number>()
  return (level, kind, message) => {
    const nowMs = job.clock.monotonicMs()
    if (nowMs - (loggedMs.get(kind) ?? Number.NEGATIVE_INFINITY) < EVERY_S * 1000) return
    loggedMs.set(kind, nowMs)
    job.log(level, message)
  }
}
