import { timestampOf } from '../../../events/core/timestamp.js'
import type { SampleBlock } from '../../../events/potentiostat/samples.js'
import { roundHalfEven } from '../../../primitives/round.js'
import type { Samples } from '../acquisition/plan.js'
import { NOMINAL_PERIOD_S } from '../device/registers.js'
import type { ImpedanceRow } from './impedance.js'

/** Raw samples of one block: about 100 ms. */
const BLOCK_SAMPLES = 278

/** Nine significant digits restore every float32 exactly (IEEE 754-2019 §5.12.2). */
export const nineDigits = (value: number): number => Number(value.toPrecision(9))

/** Samples averaged into one row: the interval in sample periods, halves to even as in pyBEEP; at least 1. */
export function averagingFactor(samplingIntervalS: number | null): number {
  if (samplingIntervalS === null) return 1
  return Math.max(1, roundHalfEven(samplingIntervalS / NOMINAL_PERIOD_S))
}

type Labels = [value: number, count: number][]

interface Block {
  firstRow: number
  firstSample: number
  current: number[]
  potential: number[]
  applied: number[] | null
  cycle: Labels | null
  step: Labels | null
  saturated: Labels
  offTarget: Labels
}

/** Turns the raw samples of one mode into blocks of averaged rows. A row is the mean of `average` samples with the labels of the first
 * of them; the last row may have fewer. */
export class BlockBuilder {
  readonly #modeIndex: number
  readonly #average: number
  readonly #onBlock: (block: SampleBlock) => void
  #startedAt: Date = EPOCH
  #rows = 0
  #samples = 0
  #block: Block | null = null
  #sums = { ...NOTHING }

  constructor(modeIndex: number, average: number, onBlock: (block: SampleBlock) => void) {
    this.#modeIndex = modeIndex
    this.#average = average
    this.#onBlock = onBlock
  }

  /** Rows begun so far; all of them are in blocks after `flush`. */
  get rows(): number {
    return this.#rows
  }

  /** Raw samples taken so far. */
  get samples(): number {
    return this.#samples
  }

  /** @param startedAt when sample 0 was taken. */
  start(startedAt: Date): void {
    this.#startedAt = startedAt
  }

  add(rows: Samples): void {
    for (let i = 0; i < rows.current.length; i++) {
      if (this.#sums.count === 0) this.#beginRow(rows, i)
      this.#sums.current += rows.current[i] ?? 0
      this.#sums.potential += rows.potential[i] ?? 0
      this.#sums.applied += rows.applied?.[i] ?? 0
      this.#sums.saturated |= rows.saturated?.[i] ?? 0
      this.#sums.offTarget |= rows.offTarget?.[i] ?? 0
      this.#sums.count += 1
      this.#samples += 1
      if (this.#sums.count < this.#average) continue
      this.#endRow()
      if (this.#samples - (this.#block?.firstSample ?? 0) >= BLOCK_SAMPLES) this.#emit()
    }
  }

  /** One row per frequency is a block of its own. */
  addImpedance(row: ImpedanceRow, periodS: number): void {
    const firstRow = this.#rows
    this.#rows += 1
    this.#samples = row.sample + 1
    this.#onBlock({
      mode_index: this.#modeIndex,
      first: firstRow,
      first_sample: row.sample,
      timestamp: this.#timestampOf(row.sample),
      time: [nineDigits(row.sample * NOMINAL_PERIOD_S)],
      current: [nineDigits(row.current)],
      potential: [nineDigits(row.potential)],
      frequency: [nineDigits(row.perSample / periodS)],
      ...(row.saturated === 0 ? {} : { saturated: [[row.saturated, 1]] }),
      ...(row.real === null || row.imaginary === null ? {} : impedanceFields(row.real, row.imaginary)),
    })
  }

  /** Hands out what is left, an incomplete last row included. */
  flush(): void {
    if (this.#sums.count > 0) this.#endRow()
    this.#emit()
  }

  #beginRow({ applied, cycle, step }: Samples, i: number): void {
    this.#block ??= {
      firstRow: this.#rows,
      firstSample: this.#samples,
      current: [],
      potential: [],
      applied: applied === null ? null : [],
      cycle: cycle === null ? null : [],
      step: step === null ? null : [],
      saturated: [],
      offTarget: [],
    }
    if (cycle !== null) label(this.#block.cycle, cycle[i] ?? 0)
    if (step !== null) label(this.#block.step, step[i] ?? 0)
    this.#rows += 1
  }

  #endRow(): void {
    const { count, current, potential, applied, saturated, offTarget } = this.#sums
    this.#block?.current.push(nineDigits(current / count))
    this.#block?.potential.push(nineDigits(potential / count))
    this.#block?.applied?.push(nineDigits(applied / count))
    label(this.#block?.saturated ?? null, saturated)
    label(this.#block?.offTarget ?? null, offTarget)
    this.#sums = { ...NOTHING }
  }

  #emit(): void {
    const block = this.#block
    if (block === null) return
    this.#block = null
    this.#onBlock({
      mode_index: this.#modeIndex,
      first: block.firstRow,
      first_sample: block.firstSample,
      timestamp: this.#timestampOf(block.firstSample),
      current: block.current,
      potential: block.potential,
      ...(block.applied === null ? {} : { applied: block.applied }),
      ...(block.cycle === null ? {} : { cycle: block.cycle }),
      ...(block.step === null ? {} : { step: block.step }),
      ...(isMarked(block.saturated) ? { saturated: block.saturated } : {}),
      ...(isMarked(block.offTarget) ? { off_target: block.offTarget } : {}),
    })
  }

  #timestampOf(sample: number): string {
    return timestampOf(new Date(this.#startedAt.getTime() + sample * NOMINAL_PERIOD_S * 1000))
  }
}

const EPOCH = new Date(0)
/** A row before its first sample. */
const NOTHING = { count: 0, current: 0, potential: 0, applied: 0, saturated: 0, offTarget: 0 }

const isMarked = (labels: Labels): boolean => labels.some(([mark]) => mark !== 0)

const impedanceFields = (real: number, imaginary: number) => ({
  z_real: [nineDigits(real)],
  z_imag: [nineDigits(imaginary)],
  z_abs: [nineDigits(Math.hypot(real, imaginary))],
  phase: [nineDigits((Math.atan2(imaginary, real) * 180) / Math.PI)],
})

function label(labels: Labels | null, value: number): void {
  const last = labels?.at(-1)
  if (last !== undefined && last[0] === value) last[1] += 1
  else labels?.push([value, 1])
}
