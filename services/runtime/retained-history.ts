import type { ServiceContext } from './service.js'

/** Finished things of a kind whose topics stay retained. */
const KEEP = 200

type Publishing = Pick<ServiceContext, 'bus' | 'logger'>

/** Retained topics of things that are over: the newest stay, older ones are cleared, so that the retained set stays bounded. */
export class RetainedHistory {
  readonly #context: Publishing
  readonly #topicsOf: (id: string) => readonly string[]
  readonly #ids: string[]

  /** @param topicsOf what is to be cleared of one that has become old. @param ids finished before, oldest first. */
  constructor(context: Publishing, topicsOf: (id: string) => readonly string[], ids: readonly string[]) {
    this.#context = context
    this.#topicsOf = topicsOf
    this.#ids = [...ids]
    this.#prune()
  }

  add(id: string): void {
    this.#ids.push(id)
    this.#prune()
  }

  #prune(): void {
    const { bus, logger } = this.#context
    const old = this.#ids.splice(0, Math.max(0, this.#ids.length - KEEP))
    for (const topic of old.flatMap(this.#topicsOf)) {
      bus.publish(topic, '', { retain: true }).catch((error: unknown) => {
        logger.debug({ topic, err: error }, 'old topic not cleared')
      })
    }
  }
}
