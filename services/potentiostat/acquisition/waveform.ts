import { NOMINAL_PERIOD_S } from '../device/registers.js'

/** Consecutive set values of one kind with their labels. */
export interface Segment {
  /** V or A. */
  readonly from: number
  readonly to: number
  readonly points: number
  readonly cycle?: number
  readonly step?: number
  /** Oscillation around `from`: value(k) = from + amplitude·sin(2π·frequency·k), frequency in periods per sample. */
  readonly sine?: { readonly amplitude: number; readonly frequency: number }
}

/** Whole sample periods in a time: truncated quotient of doubles, as in pyBEEP. */
export const pointsIn = (seconds: number): number => Math.trunc(seconds / NOMINAL_PERIOD_S)

/** Linear ramp that includes both ends. Source: pyBEEP, `np.linspace` over trunc((|b − a| / rate) / h) points. */
export const sweep = (from: number, to: number, rate: number, cycle?: number): Segment => ({
  from,
  to,
  points: pointsIn(Math.abs(to - from) / rate),
  ...(cycle === undefined ? {} : { cycle }),
})

export const hold = (value: number, points: number, labels: { cycle?: number; step?: number } = {}): Segment => ({
  from: value,
  to: value,
  points,
  ...labels,
})

/** n equally spaced values from a to b, both included; n = 1 gives a. */
export const linearSpace = (a: number, b: number, n: number): readonly number[] =>
  Array.from({ length: n }, (_, k) => (k === n - 1 && n > 1 ? b : n === 1 ? a : a + k * ((b - a) / (n - 1))))

/** Value of sample k of a segment before rounding to float32. */
function valueAt({ from, to, points, sine }: Segment, k: number): number {
  if (sine !== undefined) return from + sine.amplitude * Math.sin(2 * Math.PI * sine.frequency * k)
  if (points === 1) return from
  return k === points - 1 ? to : from + k * ((to - from) / (points - 1))
}

/** Consecutive set values with the labels of their samples. */
export interface WaveformChunk {
  readonly values: Float32Array
  readonly cycle: Float64Array | null
  readonly step: Float64Array | null
}

/** Reads a waveform piece by piece, so that only the piece is in memory. */
export class WaveformCursor {
  readonly #segments: Iterator<Segment>
  #current: Segment | undefined
  #offset = 0

  constructor(segments: Iterable<Segment>) {
    this.#segments = segments[Symbol.iterator]()
    this.#advance()
  }

  get done(): boolean {
    return this.#current === undefined
  }

  /** The next at most `max` values; empty at the end. */
  take(max: number): WaveformChunk {
    const values = new Float32Array(max)
    const cycle = new Float64Array(max)
    const step = new Float64Array(max)
    let count = 0
    let labelled: Segment | undefined
    while (count < max && this.#current !== undefined) {
      const segment = this.#current
      labelled = segment
      const n = Math.min(max - count, segment.points - this.#offset)
      for (let i = 0; i < n; i++) values[count + i] = valueAt(segment, this.#offset + i)
      cycle.fill(segment.cycle ?? 0, count, count + n)
      step.fill(segment.step ?? 0, count, count + n)
      count += n
      this.#offset += n
      if (this.#offset >= segment.points) this.#advance()
    }
    return {
      values: values.subarray(0, count),
      cycle: labelled?.cycle === undefined ? null : cycle.subarray(0, count),
      step: labelled?.step === undefined ? null : step.subarray(0, count),
    }
  }

  /** The next whole segment, for loops that work step by step. */
  nextSegment(): Segment | undefined {
    const segment = this.#current
    this.#advance()
    return segment
  }

  #advance(): void {
    this.#offset = 0
    do {
      const { value, done } = this.#segments.next()
      this.#current = done === true ? undefined : value
    } while (this.#current !== undefined && this.#current.points < 1)
  }
}
