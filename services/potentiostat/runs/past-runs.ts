import { DeviceRecord, RunOrder } from '../../../events/payloads.js'
import { deviceTopic, matchesFilter, runTopic } from '../../../events/topic.js'
import { type RetainedText, recordIn } from '../../aftermath/retained.js'
import type { ServiceContext } from '../../runtime/service.js'

/** Runs whose topics stay retained. */
const KEEP = 100

/** What the retained topics tell about earlier lives of this box. */
export interface PastRuns {
  readonly devices: readonly DeviceRecord[]
  /** Oldest first; all of them are over. */
  readonly orders: readonly RunOrder[]
}

export function pastRuns(past: readonly RetainedText[], box: string): PastRuns {
  const below = (filter: string) => past.filter(({ topic }) => matchesFilter(filter, topic))
  const orders = below(runTopic(box, '+', 'order')).flatMap((value) => recordIn(RunOrder, value) ?? [])
  return {
    devices: below(deviceTopic(box, '+')).flatMap((value) => recordIn(DeviceRecord, value) ?? []),
    orders: orders.sort((a, b) => a.timestamp.localeCompare(b.timestamp)),
  }
}

/** Retained topics of runs that are over: the newest stay, those of older ones are cleared, so that the retained set stays bounded. */
export class RetainedRuns {
  readonly #context: Pick<ServiceContext, 'bus' | 'box' | 'logger'>
  readonly #orders: RunOrder[]

  /** @param orders finished before, oldest first. */
  constructor(context: Pick<ServiceContext, 'bus' | 'box' | 'logger'>, orders: readonly RunOrder[]) {
    this.#context = context
    this.#orders = [...orders]
    this.#prune()
  }

  add(order: RunOrder): void {
    this.#orders.push(order)
    this.#prune()
  }

  #prune(): void {
    const { bus, box, logger } = this.#context
    for (const { run_id, slots } of this.#orders.splice(0, Math.max(0, this.#orders.length - KEEP))) {
      const rests = ['order', 'progress', ...slots.flatMap((slot) => [`${slot}/state`, `${slot}/samples`])]
      for (const rest of rests) {
        bus.publish(runTopic(box, run_id, rest), '', { retain: true }).catch((error: unknown) => {
          logger.debug({ run: run_id, err: error }, 'old topic not cleared')
        })
      }
    }
  }
}
