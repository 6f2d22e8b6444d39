import { publishEvent } from '../../../bus/publish-event.js'
import { timestampOf } from '../../../events/core/timestamp.js'
import { type DeviceRecord, deviceEvent } from '../../../events/potentiostat/devices.js'
import { PAST_RUNS_PER_LIST, type PastRuns, pastRunsEvent } from '../../../events/potentiostat/past-runs.js'
import { type RunOrder, runOrderEvent } from '../../../events/potentiostat/run-order.js'
import { runProgressEvent, slotStateEvent } from '../../../events/potentiostat/run-state.js'
import { samplesEvent } from '../../../events/potentiostat/samples.js'
import { createSerialQueue } from '../../../primitives/serial-queue.js'
import { type RetainedText, recordsOf } from '../../aftermath/retained.js'
import type { ServiceContext } from '../../runtime/service.js'

/** Runs whose topics stay retained. */
const KEEP = 100

/** What the retained topics tell about earlier lives of this box. */
export interface BoxPast {
  readonly devices: readonly DeviceRecord[]
  /** Oldest first; all of them are over. */
  readonly orders: readonly RunOrder[]
  /** The ids of still older runs. */
  readonly lists: readonly PastRuns[]
}

export function boxPast(past: readonly RetainedText[], box: string): BoxPast {
  const orders = recordsOf(past, runOrderEvent, { box })
  return {
    devices: recordsOf(past, deviceEvent, { box }),
    orders: [...orders].sort((a, b) => a.timestamp.localeCompare(b.timestamp)),
    lists: [...recordsOf(past, pastRunsEvent, { box })].sort((a, b) => a.list - b.list),
  }
}

type Context = Pick<ServiceContext, 'bus' | 'box' | 'clock' | 'logger'>

/** Which runs there were. Topics of the newest that are over stay retained. Those of older ones are cleared, so that the retained set stays
 * bounded, once their id is in a list that is retained: the box knows every id it ever used, whatever it was killed in the middle of. */
export class KnownRuns {
  readonly #context: Context
  readonly #ids: Set<string>
  /** A kill between list and clearing leaves runs that are in a list already. */
  readonly #listed: Set<string>
  /** Runs that are over, oldest first. */
  readonly #over: RunOrder[]
  /** The list that is not full yet. */
  #list: Pick<PastRuns, 'list' | 'run_ids'>
  readonly #inTurn = createSerialQueue()

  constructor(context: Context, { orders, lists }: Pick<BoxPast, 'orders' | 'lists'>) {
    this.#context = context
    this.#listed = new Set(lists.flatMap(({ run_ids }) => run_ids))
    this.#ids = new Set([...this.#listed, ...orders.map(({ run_id }) => run_id)])
    this.#over = [...orders]
    this.#list = lists.at(-1) ?? { list: 1, run_ids: [] }
    this.#prune()
  }

  has(runId: string): boolean {
    return this.#ids.has(runId)
  }

  /** Before it is announced. */
  reserve(runId: string): void {
    this.#ids.add(runId)
  }

  /** It could not be announced. */
  release(runId: string): void {
    this.#ids.delete(runId)
  }

  ended(order: RunOrder): void {
    this.#over.push(order)
    this.#prune()
  }

  #prune(): void {
    this.#inTurn(async () => {
      const old = this.#over.slice(0, Math.max(0, this.#over.length - KEEP))
      if (old.length === 0) return
      await this.#enlist(old.map(({ run_id }) => run_id))
      this.#over.splice(0, old.length)
      for (const order of old) this.#clear(order)
    }).catch((error: unknown) => {
      this.#context.logger.debug({ err: error }, 'old runs stay retained until the next one ends')
    })
  }

  /** Resolves when lists with these ids are on the disk. */
  async #enlist(ids: readonly string[]): Promise<void> {
    const { bus, box, clock } = this.#context
    const missing = ids.filter((id) => !this.#listed.has(id))
    while (missing.length > 0) {
      const { list, run_ids } = this.#list
      const room = PAST_RUNS_PER_LIST - run_ids.length
      if (room <= 0) {
        this.#list = { list: list + 1, run_ids: [] }
        continue
      }
      const added = missing.slice(0, room)
      const next = { list, run_ids: [...run_ids, ...added] }
      await publishEvent(bus, pastRunsEvent, { box, list }, { ...next, timestamp: timestampOf(clock.now()) })
      this.#list = next
      for (const id of added) this.#listed.add(id)
      missing.splice(0, room)
    }
  }

  #clear({ run_id, slots }: RunOrder): void {
    const { bus, box, logger } = this.#context
    const run = { box, run_id }
    const ofSlot = (slot: string) => [slotStateEvent.topic({ ...run, slot }), samplesEvent.topic({ ...run, slot })]
    for (const topic of [runOrderEvent.topic(run), runProgressEvent.topic(run), ...slots.flatMap(ofSlot)]) {
      bus.publish(topic, '', { retain: true }).catch((error: unknown) => {
        logger.debug({ run: run_id, err: error }, 'old topic not cleared')
      })
    }
  }
}
