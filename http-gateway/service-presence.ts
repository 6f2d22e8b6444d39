import type { MessageBus } from '../events/ports.js'
import { type ServiceRecord, serviceEvent } from '../events/system/services.js'

/** Whether the services are there, by their last record. The record of a process that died is corrected by the process that notices. */
export interface ServicePresence {
  /** Null before anything is known. */
  record(): ServiceRecord | null
  /** They answer, though they may be suspended. */
  isLive(): boolean
  /** Resolves with whether they are there, as soon as they are or after `timeoutMs`, or when `stop` is aborted. */
  live(timeoutMs: number, stop?: AbortSignal): Promise<boolean>
  /** Resolves when they are gone; never once `stop` is aborted. */
  gone(stop: AbortSignal): Promise<void>
  /** Last position of the log when they were last reported ready: their announcements are before it. */
  since(): number
}

/** Follows the services' own record from now on, and for as long as the connection. */
export function followServices(
  bus: Pick<MessageBus, 'subscribe'>,
  unit: string,
  lastPosition: () => number,
): ServicePresence {
  let record: ServiceRecord | null = null
  let since = 0
  const waiting = new Set<() => void>()
  const leaving = new Set<() => void>()
  const isLive = (): boolean => record?.state === 'ready' || record?.state === 'suspended'
  void bus.subscribe(serviceEvent.topic({ unit }), ({ payload }) => {
    const wasLive = isLive()
    record = payload.length === 0 ? null : serviceEvent.parse(payload.toString())
    if (!isLive()) {
      for (const wake of leaving) wake()
      return
    }
    if (!wasLive) since = lastPosition()
    for (const wake of waiting) wake()
  })
  return {
    record: () => record,
    isLive,
    since: () => since,
    gone: (stop) =>
      new Promise<void>((resolve) => {
        if (stop.aborted) return
        if (!isLive()) return resolve()
        leaving.add(resolve)
        stop.addEventListener('abort', () => leaving.delete(resolve), { once: true })
      }),
    async live(timeoutMs, stop) {
      if (isLive() || stop?.aborted === true) return isLive()
      await new Promise<void>((resolve) => {
        const done = (): void => {
          clearTimeout(timer)
          waiting.delete(done)
          stop?.removeEventListener('abort', done)
          resolve()
        }
        const timer = setTimeout(done, timeoutMs)
        waiting.add(done)
        stop?.addEventListener('abort', done)
      })
      return isLive()
    },
  }
}
