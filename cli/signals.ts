import { deadline } from '../primitives/deadline.js'
/** Resolves at the first request to end: Ctrl-C, SIGTERM, SIGHUP. Later ones are expected, because a signal to the process group
 * arrives once directly and once through npm, and change nothing. */
export function endRequested(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve(signal))
  })
}

/** The promise, or the fallback when it takes longer than `ms`. Never rejects: what fails on the way out is reported by `onError`. */
export async function within<T>(
  ms: number,
  work: Promise<T>,
  fallback: T,
  onError: (error: unknown) => void,
): Promise<T> {
  try {
    return await deadline(ms, work, () => fallback)
  } catch (error) {
    onError(error)
    return fallback
  }
}
