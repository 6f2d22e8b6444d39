import { defineError } from '../../../events/core/errors.js'
import type { Clock } from '../../../events/ports.js'
import { deadline } from '../../../primitives/deadline.js'
import { retry } from '../../../primitives/retry.js'
import { sleepS } from '../../runtime/repeat.js'
import type { Bioreactor } from '../board/board.js'

const ProbeFailed = defineError(
  'temperature.probe_failed',
  'hardware',
  'The probe of the heater board does not answer, or tells what cannot be.',
)

/** A reading is the mean of so many reads, s apart. Source: Pioreactor 26.7. */
const READS = 6
const READ_GAP_S = 0.05
/** A disturbed bus answers the next time. */
const TRIES = { attempts: 3, pauseMs: 20 }
/** A read that takes longer has failed, ms of the machine: a chip is not sped up with the clock. */
const LIMIT_MS = 1000
/** Within the 0.25 s of a reading the board cools by 0.8 °C at most, right after full power (8 °C above the pad, 2.6 s time constant). */
const MAX_SPREAD_C = 1.5
/** A bus that is stuck reads 0 or −0.06 °C. */
const COLDEST_C = 0

/** The temperature probe of the heater board, as far as it can be believed. */
export class Probe {
  readonly #bioreactor: Pick<Bioreactor, 'readHeaterBoardC'>
  readonly #clock: Clock

  constructor(bioreactor: Pick<Bioreactor, 'readHeaterBoardC'>, clock: Clock) {
    this.#bioreactor = bioreactor
    this.#clock = clock
  }

  /** °C, the mean of six reads in a quarter of a second. @throws ProbeFailed */
  read(): Promise<number> {
    // A disturbed read shows in the spread; it is not to cost an inference of two minutes.
    return retry({ attempts: 2 }, () => this.#mean())
  }

  /** °C of a single read; what is not below `believedC` is read again as `read` does. @throws ProbeFailed */
  async glance(believedC: number): Promise<number> {
    const celsius = await this.#once()
    return celsius > COLDEST_C && celsius < believedC ? celsius : this.read()
  }

  async #mean(): Promise<number> {
    const reads: number[] = []
    for (let count = 0; count < READS; count++) {
      if (count > 0) await sleepS(this.#clock, READ_GAP_S)
      reads.push(await this.#once())
    }
    const [low, high] = [Math.min(...reads), Math.max(...reads)]
    if (high - low > MAX_SPREAD_C) {
      throw new ProbeFailed(
        `The probe reads ${low} to ${high} ℃ within a quarter of a second; the board cannot change by more than ${MAX_SPREAD_C} ℃.`,
      )
    }
    const mean = reads.reduce((sum, celsius) => sum + celsius, 0) / READS
    if (mean > COLDEST_C) return mean
    throw new ProbeFailed(`The probe reads ${mean} ℃; no culture is as cold, so its bus is disturbed.`)
  }

  async #once(): Promise<number> {
    const late = (): never => {
      throw new Error(`it takes longer than ${LIMIT_MS / 1000} s`)
    }
    const read = retry({ ...TRIES, timer: this.#clock }, () => this.#bioreactor.readHeaterBoardC())
    try {
      return await deadline(LIMIT_MS, read, late)
    } catch (cause) {
      throw new ProbeFailed(
        `The probe of the heater board does not answer${cause instanceof Error ? ` (${cause.message})` : ''}.`,
        { cause, remediation: 'Check the cable and the seat of the heater board.' },
      )
    }
  }
}
