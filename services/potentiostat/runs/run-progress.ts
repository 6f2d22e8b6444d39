import type { RunOrder } from '../../../events/potentiostat/run-order.js'
import type { RunProgress, SlotState } from '../../../events/potentiostat/run-state.js'

interface SlotMeter {
  doneS: number
  modeIndex: number
  /** Share of the mode being measured, 0–1. */
  fraction: number
  samples: number
  ended: SlotState['status'] | null
}

/** A mode counts as complete only when its tear-down is. */
const MOST_OF_A_MODE = 0.99

/** Progress of a run, weighted by the planned seconds of its modes. Never falls. */
export class RunProgressMeter {
  readonly #planned: readonly number[]
  readonly #total: number
  readonly #slots: ReadonlyMap<string, SlotMeter>
  #percent = 0

  constructor(order: Pick<RunOrder, 'slots' | 'modes'>) {
    this.#planned = order.modes.map(({ planned_s }) => planned_s)
    this.#total = this.#planned.reduce((sum, seconds) => sum + seconds, 0)
    this.#slots = new Map(
      order.slots.map((slot) => [slot, { doneS: 0, modeIndex: 0, fraction: 0, samples: 0, ended: null }]),
    )
  }

  /** @param fraction share of the present mode; @param samples raw samples that came now. */
  acquired(slot: string, fraction: number, samples: number): void {
    const meter = this.#slots.get(slot)
    if (meter === undefined) return
    meter.fraction = Math.min(fraction, MOST_OF_A_MODE)
    meter.samples += samples
  }

  modeDone(slot: string): void {
    const meter = this.#slots.get(slot)
    if (meter === undefined) return
    meter.doneS += this.#planned[meter.modeIndex] ?? 0
    meter.modeIndex += 1
    meter.fraction = 0
  }

  slotEnded(slot: string, status: SlotState['status']): void {
    const meter = this.#slots.get(slot)
    if (meter !== undefined) meter.ended = status
  }

  read(timestamp: string): RunProgress {
    const slots = [...this.#slots].map(([name, meter]) => ({ name, meter, share: this.#shareOf(meter) }))
    const mean = slots.reduce((sum, { share }) => sum + share, 0) / slots.length
    const over = slots.every(({ meter }) => meter.ended !== null)
    const percent = over ? Math.floor(100 * mean) : Math.min(99, Math.floor(100 * mean))
    this.#percent = Math.max(this.#percent, percent)
    const remaining = Math.max(0, ...slots.map(({ share }) => this.#total * (1 - share)))
    return {
      progress_pct: this.#percent,
      remaining_s: over ? 0 : Math.ceil(remaining),
      slots: Object.fromEntries(
        slots.map(({ name, meter, share }) => [
          name,
          { progress_pct: Math.floor(100 * share), samples: meter.samples },
        ]),
      ),
      timestamp,
    }
  }

  /** 0–1. What failed is over as much as what is done. */
  #shareOf({ doneS, modeIndex, fraction, ended }: SlotMeter): number {
    if (ended === 'done' || ended === 'failed') return 1
    return Math.min(1, (doneS + fraction * (this.#planned[modeIndex] ?? 0)) / this.#total)
  }
}
