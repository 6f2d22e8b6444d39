import { AsyncLocalStorage, AsyncResource } from 'node:async_hooks'
import type { MessageBus } from '../../events/ports.js'

/** Who pays for an error that nobody caught. */
export interface Owner {
  fail(error: unknown): void
}

const owners = new AsyncLocalStorage<Owner>()

/** Does work, and all that follows from it (timers, callbacks, promises), on the account of an owner. */
export const onAccountOf = <T>(owner: Owner, work: () => T): T => owners.run(owner, work)

/** To be called with what nobody caught, where the process learns of it: tells the owner of the work. @returns whether there is one. */
export function failOwner(error: unknown): boolean {
  const owner = owners.getStore()
  owner?.fail(error)
  return owner !== undefined
}

/** A connection that several share, for one of them: what its messages cause is on the account of the subscriber. */
export const onOwnAccount = (bus: MessageBus): MessageBus => ({
  get connected() {
    return bus.connected
  },
  publish: (topic, payload, options) => bus.publish(topic, payload, options),
  subscribe: (filter, handler) => bus.subscribe(filter, AsyncResource.bind(handler)),
  onConnection: (listener) => bus.onConnection(AsyncResource.bind(listener)),
  close: () => bus.close(),
})
