import type { FrequencyPoint, Samples } from '../acquisition/plan.js'
import type { Segment } from '../acquisition/waveform.js'
import { SaturationCount } from './saturation.js'

/** One row of a spectrum. The means describe the window that was evaluated. */
export interface ImpedanceRow {
  /** Index of the last raw sample behind it. */
  readonly sample: number
  /** V, A */
  readonly potential: number
  readonly current: number
  /** Periods per sample; divided by the sample period it is Hz. */
  readonly perSample: number
  /** Ω; null when samples behind it are clipped. */
  readonly real: number | null
  readonly imaginary: number | null
  /** `Saturated` bits of the samples behind it. */
  readonly saturated: number
}

/** The sines of a spectrum, one after the other, settling included. Each begins in the phase in which the whole periods of its
 * measurement begin. */
export function* sineSegments(
  frequencies: readonly FrequencyPoint[],
  dcPotential: number,
  amplitude: number,
): Generator<Segment> {
  for (const { cycles, points, settle } of frequencies) {
    const sine = { amplitude, frequency: cycles / points }
    yield { from: dcPotential, to: dcPotential, points: settle + points, sine }
  }
}

/** Impedance from raw samples: ratio of the Fourier coefficients of potential and current over whole periods, in which the filter that
 * both passed cancels; a linear drift, as of a cell that still comes to rest, is fitted along and does not count. Samples come in order; finished rows are handed to `onRow`. */
export class SpectrumAnalyser {
  readonly #frequencies: readonly FrequencyPoint[]
  readonly #onRow: (row: ImpedanceRow) => void
  /** Of the samples that are evaluated, those that settle left out. */
  readonly saturation: SaturationCount
  /** Frequencies without a result. */
  refused = 0
  #index = 0
  #offset = 0
  #samples = 0
  #sums: Sums

  #saturated = 0

  constructor(
    frequencies: readonly FrequencyPoint[],
    onRow: (row: ImpedanceRow) => void,
    saturation = new SaturationCount(),
  ) {
    this.saturation = saturation
    this.#frequencies = frequencies
    this.#sums = this.#newSums()
    this.#onRow = onRow
  }

  add({ current, potential, saturated }: Samples): void {
    for (let i = 0; i < current.length; i++) this.#addSample(potential[i] ?? 0, current[i] ?? 0, saturated?.[i] ?? 0)
  }

  #addSample(potential: number, current: number, saturated: number): void {
    const point = this.#frequencies[this.#index]
    if (point === undefined) return
    const k = this.#offset - point.settle
    if (k >= 0) {
      this.#sums.add(potential, current, k)
      this.#saturated |= saturated
      this.saturation.add(1, saturated === 0 ? null : Uint8Array.of(saturated))
    }
    this.#offset += 1
    this.#samples += 1
    if (this.#offset < point.settle + point.points) return
    const perSample = point.cycles / point.points
    const { real, imaginary, ...means } = this.#sums.result()
    const isClipped = this.#saturated !== 0
    if (isClipped) this.refused += 1
    this.#onRow({
      sample: this.#samples - 1,
      perSample,
      ...means,
      real: isClipped ? null : real,
      imaginary: isClipped ? null : imaginary,
      saturated: this.#saturated,
    })
    this.#saturated = 0
    this.#offset = 0
    this.#index += 1
    this.#sums = this.#newSums()
  }

  #newSums(): Sums {
    return new Sums(this.#frequencies[this.#index] ?? { cycles: 1, points: 2 })
  }
}

/** Samples of one frequency, as sums. */
class Sums {
  readonly #points: number
  /** Angle from one sample to the next. */
  readonly #step: number
  readonly #potential = new DriftingSine()
  readonly #current = new DriftingSine()

  constructor({ cycles, points }: Pick<FrequencyPoint, 'cycles' | 'points'>) {
    this.#points = points
    this.#step = (2 * Math.PI * cycles) / points
  }

  add(potential: number, current: number, k: number): void {
    const cos = Math.cos(this.#step * k)
    const sin = Math.sin(this.#step * k)
    this.#potential.add(potential, k, cos, sin)
    this.#current.add(current, k, cos, sin)
  }

  result(): Pick<ImpedanceRow, 'potential' | 'current'> & { readonly real: number; readonly imaginary: number } {
    const v = this.#potential.coefficient(this.#points, this.#step)
    const i = this.#current.coefficient(this.#points, this.#step)
    const size = i.re ** 2 + i.im ** 2
    return {
      potential: this.#potential.sum / this.#points,
      current: this.#current.sum / this.#points,
      real: (v.re * i.re + v.im * i.im) / size,
      imaginary: (v.im * i.re - v.re * i.im) / size,
    }
  }
}

/** Least-squares fit of a sine upon a straight line, over whole periods. */
class DriftingSine {
  sum = 0
  #moment = 0
  #cos = 0
  #sin = 0

  add(value: number, k: number, cos: number, sin: number): void {
    this.sum += value
    this.#moment += k * value
    this.#cos += value * cos
    this.#sin += value * sin
  }

  /** Fourier sum Σ value·e^{-j·step·k} without the line. Over whole periods Σ k·cos = −n/2 and Σ k·sin = −n/2·cot(step/2). */
  coefficient(n: number, step: number): { readonly re: number; readonly im: number } {
    const cot = 1 / Math.tan(step / 2)
    const moment = this.#moment - ((n - 1) / 2) * this.sum + this.#cos + cot * this.#sin
    // Three samples are a sine as well as a line; nothing can tell them apart.
    const slope = n < 4 ? 0 : moment / ((n * (n * n - 1)) / 12 - (n / 2) * (1 + cot * cot))
    return { re: this.#cos + (slope * n) / 2, im: -this.#sin - ((slope * n) / 2) * cot }
  }
}
