import type { Logger } from '../../events/ports.js'
import type { LogStatus } from '../../events/system/log-status.js'
import { createSerialQueue } from '../../primitives/serial-queue.js'
import type { Service } from './service.js'

export interface Gate {
  /** Why the services are suspended; null when they are not. */
  readonly suspended: string | null
  connected(connected: boolean): void
  logStatus(status: LogStatus): void
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
  let closed = false
  const serially = createSerialQueue()

  const wanted = (): string | null => (linked ? unwritable : 'the connection to the broker is lost')
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
  const change = (): void => {
    void serially(settle)
  }
  return {
    get suspended() {
      return applied
    },
    connected(connected) {
      linked = connected
      change()
    },
    logStatus({ writable, reason }) {
      unwritable = writable ? null : (reason ?? 'the event log cannot be written')
      change()
    },
    close() {
      closed = true
    },
  }
}
