import { setTimeout as delay } from 'node:timers/promises'

/** Waits until a reading satisfies a condition; what is awaited has no event of its own. Fails by the test's timeout. */
export async function eventually<T>(read: () => T | Promise<T>, accept: (value: T) => boolean): Promise<T> {
  for (;;) {
    const value = await read()
    if (accept(value)) return value
    await delay(5)
  }
}
