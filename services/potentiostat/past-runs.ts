import { DeviceRecord, RunOrder, SlotState, timestampOf } from '../../events/payloads.js'
import type { BusMessage } from '../../events/ports.js'
import { isTerminal } from '../../events/run-status.js'
import { checkJson } from '../../events/schema.js'
import { deviceTopic, parseTopic, runTopic } from '../../events/topic.js'
import type { ServiceContext } from '../service.js'

/** Runs whose topics stay retained. */
const KEEP = 100

/** What the retained topics tell about earlier lives of this box. */
export interface PastRuns {
  readonly devices: readonly DeviceRecord[]
  /** Oldest first. */
  readonly orders: readonly RunOrder[]
  stateOf(runId: string, slot: string): SlotState | null
  /** Ends the collection. To be called after something was published on the same connection, so that all has arrived. */
  complete(): Promise<void>
}

/** Collects what is retained; the broker sends it right after it granted each subscription. */
export async function readPastRuns({ bus, box, logger }: ServiceContext): Promise<PastRuns> {
  const devices = new Map<string, DeviceRecord>()
  const orders = new Map<string, RunOrder>()
  const states = new Map<string, SlotState>()
  const collect = (read: (topic: string, text: string) => void) => (message: BusMessage) => {
    if (!message.retain || message.payload.length === 0) return
    try {
      read(message.topic, message.payload.toString())
    } catch (error) {
      logger.warn({ topic: message.topic, err: error }, 'retained value not understood')
    }
  }
  const subscriptions = [
    await bus.subscribe(
      deviceTopic(box, '+'),
      collect((_, text) => {
        const record = checkJson(DeviceRecord, text, 'device record')
        devices.set(record.slot, record)
      }),
    ),
    await bus.subscribe(
      runTopic(box, '+', 'order'),
      collect((_, text) => {
        const order = checkJson(RunOrder, text, 'order')
        orders.set(order.run_id, order)
      }),
    ),
    await bus.subscribe(
      runTopic(box, '+', '+/state'),
      collect((topic, text) => {
        const parts = parseTopic(topic)
        if (parts.family !== 'potentiostat') return
        states.set(`${parts.runId}/${parts.rest[0]}`, checkJson(SlotState, text, 'slot state'))
      }),
    ),
  ]
  return {
    get devices() {
      return [...devices.values()]
    },
    get orders() {
      return [...orders.values()].sort((a, b) => a.timestamp.localeCompare(b.timestamp))
    },
    stateOf: (runId, slot) => states.get(`${runId}/${slot}`) ?? null,
    async complete() {
      for (const end of subscriptions) await end()
    },
  }
}

/** Tells the truth about runs that died with an earlier process: their unfinished slots failed. */
export async function endInterruptedRuns({ bus, box, clock, logger }: ServiceContext, past: PastRuns): Promise<void> {
  const now = timestampOf(clock.now())
  for (const order of past.orders) {
    for (const slot of order.slots) {
      const state = past.stateOf(order.run_id, slot)
      if (state !== null && isTerminal(state.status)) continue
      const ended: SlotState = {
        slot,
        started_at: null,
        device_sn: null,
        reports: [],
        ...state,
        status: 'failed',
        mode_index: null,
        ended_at: now,
        message: 'Interrupted: the services process ended before the measurement did.',
        timestamp: now,
      }
      logger.warn({ run: order.run_id, slot }, 'interrupted run marked failed')
      await bus.publish(runTopic(box, order.run_id, `${slot}/state`), JSON.stringify(ended), { retain: true })
    }
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
