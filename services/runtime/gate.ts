import type { Logger } from '../../events/ports.js'
import type { LogStatus } from '../../events/system/log-status.js'
import { createSerialQueue } from '../../primitives/serial-queue.js'
import type { Service } from './service.js'

export interface Gate {
  /** Why the services are suspended; null when they are not. */
  readonly suspended: string | null
  connected(connected: boolean): void
  logStatus(status: LogStatus): void
  /** Suspends the services for a reason of the unit itself. Resolves when they are, with what ends it. */
  hold(reason: string): Promise<() => void>
  close(): void
}

/** Suspends and resumes the services, one transition after the other, always ending at the newest state of the world.
 * @param onChange told of every transition. */
export function createGate(
  logger: Logger,
  services: readonly Pick<Service, 'suspend' | 'resume'>[],
  onChange: () => void,
): Gate {
  let linked = true
  let unwritable: string | null = null
  let applied: string | null = null
  const holds: { readonly reason: string }[] = []
  let closed = false
  const serially = createSerialQueue()

  const wanted = (): string | null =>
    linked ? (unwritable ?? holds[0]?.reason ?? null) : 'the connection to the broker is lost'
  const settle = async (): Promise<void> => {
    const reason = wanted()
    if (closed || reason === applied) return
    applied = reason
    logger.warn({ reason }, reason === null ? 'services resume' : 'services suspended, outputs safe')
    const moved = await Promise.allSettled(
      services.map((service) => (reason === null ? service.resume() : service.suspend(reason))),
    )
    for (const result of moved) {
      if (result.status === 'rejected') logger.error({ err: result.reason as unknown }, 'service did not follow')
    }
    onChange()
  }
  const change = (): Promise<void> => serially(settle)
  return {
    get suspended() {
      return applied
    },
    connected(connected) {
      linked = connected
      void change()
    },
    logStatus({ writable, reason }) {
      unwritable = writable ? null : (reason ?? 'the event log cannot be written')
      void change()
    },
    async hold(reason) {
      const held = { reason }
      holds.push(held)
      await change()
      return () => {
        const place = holds.indexOf(held)
        if (place !== -1) holds.splice(place, 1)
        void change()
      }
    },
    close() {
      closed = true
    },
  }
}
