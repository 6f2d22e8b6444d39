import type { MessageBus } from '../events/ports.js'

/** A bus that is used before there is a broker: until then it is not connected, and what is asked of it waits. */
export function createLateBus(): { readonly bus: MessageBus; arrived(real: MessageBus): void } {
  let current: MessageBus | undefined
  let arrived: (real: MessageBus) => void = () => undefined
  const real = new Promise<MessageBus>((resolve) => {
    arrived = resolve
  })
  const bus: MessageBus = {
    get connected() {
      return current?.connected === true
    },
    publish: async (...message) => (await real).publish(...message),
    subscribe: async (...subscription) => (await real).subscribe(...subscription),
    onConnection(listener) {
      let ended = false
      let end = (): void => undefined
      if (current === undefined) listener(false)
      void real.then((opened) => {
        if (!ended) end = opened.onConnection(listener)
      })
      return () => {
        ended = true
        end()
      }
    },
    close: async () => current?.close(),
  }
  return {
    bus,
    arrived(opened) {
      current = opened
      arrived(opened)
    },
  }
}
