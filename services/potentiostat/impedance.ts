import type { FrequencyPoint, RawRows } from './plan.js'
import type { Segment } from './waveform.js'

/** One row of a spectrum. The means describe the window that was evaluated. */
export interface ImpedanceRow {
  /** Index of the last raw sample behind it. */
  readonly sample: number
  /** V, A */
  readonly potential: number
  readonly current: number
  /** Periods per sample; divided by the sample period it is Hz. */
  readonly perSample: number
  /** Ω */
  readonly real: number
  readonly imaginary: number
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
 * both passed cancels. Samples come in order; finished rows are handed to `onRow`. */
export class SpectrumAnalyser {
  readonly #frequencies: readonly FrequencyPoint[]
  readonly #onRow: (row: ImpedanceRow) => void
  #index = 0
  #offset = 0
  #samples = 0
  #sums = new Sums()

  constructor(frequencies: readonly FrequencyPoint[], onRow: (row: ImpedanceRow) => void) {
    this.#frequencies = frequencies
    this.#onRow = onRow
  }

  add({ current, potential }: RawRows): void {
    for (let i = 0; i < current.length; i++) this.#addSample(potential[i] ?? 0, current[i] ?? 0)
  }

  #addSample(potential: number, current: number): void {
    const point = this.#frequencies[this.#index]
    if (point === undefined) return
    const perSample = point.cycles / point.points
    const k = this.#offset - point.settle
    if (k >= 0) this.#sums.add(potential, current, 2 * Math.PI * perSample * k)
    this.#offset += 1
    this.#samples += 1
    if (this.#offset < point.settle + point.points) return
    this.#onRow({ sample: this.#samples - 1, perSample, ...this.#sums.result(point.points) })
    this.#sums = new Sums()
    this.#offset = 0
    this.#index += 1
  }
}

/** Fourier sums of one frequency. */
class Sums {
  #potential = 0
  #current = 0
  #vRe = 0
  #vIm = 0
  #iRe = 0
  #iIm = 0

  add(potential: number, current: number, angle: number): void {
    const cos = Math.cos(angle)
    const sin = Math.sin(angle)
    this.#potential += potential
    this.#current += current
    this.#vRe += potential * cos
    this.#vIm -= potential * sin
    this.#iRe += current * cos
    this.#iIm -= current * sin
  }

  result(points: number): Pick<ImpedanceRow, 'potential' | 'current' | 'real' | 'imaginary'> {
    const size = this.#iRe ** 2 + this.#iIm ** 2
    return {
      potential: this.#potential / points,
      current: this.#current / points,
      real: (this.#vRe * this.#iRe + this.#vIm * this.#iIm) / size,
      imaginary: (this.#vIm * this.#iRe - this.#vRe * this.#iIm) / size,
    }
  }
}
