import type { EventDefinition, Levels, PayloadOf } from '../events/core/define-event.js'
import type { MessageBus } from '../events/ports.js'

type Publisher = Pick<MessageBus, 'publish'>

/** Publishes a declared event. Resolves when it is on disk; rejects when the payload is not as declared, or as `MessageBus.publish` does. */
export const publishEvent = async <E extends EventDefinition>(
  bus: Publisher,
  event: E,
  levels: Levels<E['pattern']>,
  payload: PayloadOf<E>,
): Promise<void> => bus.publish(event.topic(levels), event.encode(payload), { retain: event.retained })

/** Clears a retained topic. */
export const clearEvent = async <E extends EventDefinition>(
  bus: Publisher,
  event: E,
  levels: Levels<E['pattern']>,
): Promise<void> => bus.publish(event.topic(levels), '', { retain: true })
