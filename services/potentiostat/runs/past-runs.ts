import { type DeviceRecord, deviceEvent } from '../../../events/potentiostat/devices.js'
import { type RunOrder, runOrderEvent } from '../../../events/potentiostat/run-order.js'
import { runProgressEvent, slotStateEvent } from '../../../events/potentiostat/run-state.js'
import { samplesEvent } from '../../../events/potentiostat/samples.js'
import { type RetainedText, recordsOf } from '../../aftermath/retained.js'
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
  const orders = recordsOf(past, runOrderEvent, { box })
  return {
    devices: recordsOf(past, deviceEvent, { box }),
    orders: [...orders].sort((a, b) => a.timestamp.localeCompare(b.timestamp)),
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
      const run = { box, run_id }
      const ofSlot = (slot: string) => [slotStateEvent.topic({ ...run, slot }), samplesEvent.topic({ ...run, slot })]
      for (const topic of [runOrderEvent.topic(run), runProgressEvent.topic(run), ...slots.flatMap(ofSlot)]) {
        bus.publish(topic, '', { retain: true }).catch((error: unknown) => {
          logger.debug({ run: run_id, err: error }, 'old topic not cleared')
        })
      }
    }
  }
}
