import type { BusMessage, MessageBus } from '../../events/ports.js'

/** Messages for a job, until it begins to end; the subscription ends with its connection. */
export async function follow(
  bus: MessageBus,
  filter: string,
  listener: (message: BusMessage) => void,
  ending: AbortSignal,
): Promise<void> {
  await bus.subscribe(filter, (message) => {
    if (!ending.aborted) listener(message)
  })
}
