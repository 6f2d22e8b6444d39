// Longer than 300 lines: filling one queue of the device and emptying the other take turns, and share what they count.

import type { Clock } from '../../../events/ports.js'
import { ModbusException, ModbusTimeout } from '../../transport/modbus-client.js'
import { ExceptionCode } from '../../transport/modbus-rtu.codec.js'
import { encodeFloats } from '../../transport/register-values.codec.js'
import { isRunning, type Potentiostat } from '../device/device.js'
import { startOnce } from '../device/quiesce.js'
import {
  ADC_FIFO_PAIRS,
  BLOCK_REGISTERS,
  type LiveValues,
  NOMINAL_PERIOD_S,
  REGISTERS_PER_POINT,
  TICK_S,
} from '../device/registers.js'
import { MeasurementAborted, MeasurementInterrupted, SamplesLost } from '../errors.js'
import { SaturationDetector } from '../evaluation/saturation.js'
import type { AcquisitionStats } from './acquisition-stats.js'
import { BLOCK_PAIRS, PairIntake, type Pairs } from './pair-intake.js'
import type { Samples } from './plan.js'
import { type Segment, WaveformCursor } from './waveform.js'

const BLOCK_POINTS = BLOCK_REGISTERS / REGISTERS_PER_POINT
/** Points kept queued, 0.86 s. A stall that they do not outlast loses samples in the ADC queue (2048) anyway, and what is queued must be played
 * out before the device stops. */
const QUEUED_POINTS = 2400
/** Points kept queued after the waveform until its last pair is here, holding its last value: the device never runs dry, and the counts
 * stay exact. They are played out with the cell open, 0.1 s. */
const PADDING_POINTS = 280
const CYCLE_MS = 40
/** `sampleTicks` is a moving average that needs about 700 steps to forget the idle time before the start. */
const PERIOD_SETTLED_MS = 500
/** Pairs come every 0.36 ms; without any for so long the device no longer measures. */
const STALLED_MS = 2000
/** A queue length is that of the last control step; transfers since then show at the next one. */
const STEP_MS = 3
const CONFIRMATIONS = 3
export interface FifoRun {
  /** V; read twice, for the device and for the rows. */
  segments(): Iterable<Segment>
  /** Exactly as many as the segments have points. */
  readonly samples: number
  readonly closeCell: boolean
  /** Resistance of the amplifier, and length of the running averages. */
  readonly tiaOhm: number
  readonly filterSamples: number
  onStart(startedAt: Date): void
  onSamples(samples: Samples): void
}

/** Plays a waveform and records one sample per point.
 *
 * Every control step pushes one pair and pops one point, so that `written − dacQueued = received + adcQueued + lost` holds at every
 * reading of the live values: a lost reply or a full queue shows at once, to the sample. Should the points run out after the waveform,
 * the steps without one are counted as soon as there are points again. Pair k is measured before point k is applied; the first pair is
 * discarded, so row k belongs to point k.
 * @throws SamplesLost, MeasurementInterrupted, MeasurementAborted with the abort reason, ModbusTimeout, ConnectionLost. */
export async function acquireFifo(
  device: Potentiostat,
  clock: Clock,
  run: FifoRun,
  stats: AcquisitionStats,
  stop: AbortSignal,
): Promise<void> {
  await new FifoAcquisition(device, clock, run, stats, stop).acquire()
}

class FifoAcquisition {
  readonly #device: Potentiostat
  readonly #clock: Clock
  readonly #run: FifoRun
  readonly #stats: AcquisitionStats
  readonly #stop: AbortSignal
  readonly #points: WaveformCursor
  readonly #labels: WaveformCursor
  readonly #intake: PairIntake
  readonly #saturation: SaturationDetector
  /** Taken, but not yet known to be consecutive. */
  #unconfirmed: Pairs[] = []
  /** Pairs handed on, the discarded first one included. */
  #emitted = 0
  #written = 0
  #startedMs = 0
  /** Steps at which the device had no point, after the waveform. */
  #idleSteps = 0
  /** The waveform was queued to its end when the counts last agreed. */
  #allQueued = false
  #lastValue = 0
  /** What the device shows as its last block; null while that is an earlier run's. */
  #shown: Float32Array | null = null

  constructor(device: Potentiostat, clock: Clock, run: FifoRun, stats: AcquisitionStats, stop: AbortSignal) {
    this.#device = device
    this.#clock = clock
    this.#run = run
    this.#stats = stats
    this.#stop = stop
    this.#points = new WaveformCursor(run.segments())
    this.#labels = new WaveformCursor(run.segments())
    this.#intake = new PairIntake(device)
    this.#saturation = new SaturationDetector(run.tiaOhm, run.filterSamples)
  }

  /** The waveform's pairs and the discarded first one. */
  get #needed(): number {
    return this.#run.samples + 1
  }

  async acquire(): Promise<void> {
    await this.#prefill()
    this.#allQueued = this.#points.done
    await this.#intake.prepare()
    this.#checkAborted()
    const before = await this.#device.live()
    await startOnce(this.#device, this.#run.closeCell)
    this.#startedMs = this.#clock.monotonicMs()
    this.#run.onStart(this.#clock.now())
    await this.#firstStep(before)
    let progress = { pairs: -1, ms: this.#startedMs }
    while (this.#intake.received < this.#needed) {
      this.#checkAborted()
      const live = await this.#audited()
      this.#notePeriod(live)
      const pairs = this.#intake.received + live.adcQueued
      if (pairs !== progress.pairs) progress = { pairs, ms: this.#clock.monotonicMs() }
      else if (this.#clock.monotonicMs() - progress.ms > STALLED_MS) {
        throw stalled()
      }
      await this.#refill(live)
      if (live.dacQueued < 0) continue
      await this.#fetch(live.adcQueued)
      const missing = this.#needed - this.#intake.received
      if (missing <= 0) await this.#audited()
      else await this.#sleep(Math.min(CYCLE_MS, missing * NOMINAL_PERIOD_S * 1000 + 1))
    }
  }

  async #prefill(): Promise<void> {
    while (this.#written < Math.min(QUEUED_POINTS, this.#needed + PADDING_POINTS)) {
      this.#checkAborted()
      await this.#queueExactly(this.#nextPoints())
    }
  }

  /** The next block of the waveform; after its end its last value. */
  #nextPoints(): Float32Array {
    const { values } = this.#points.take(BLOCK_POINTS)
    return values.length > 0 ? values : new Float32Array(BLOCK_POINTS).fill(this.#lastValue)
  }

  /** Where no count tells whether an unanswered block was queued, the block that the device got last does. One equal to the block before
   * is told apart by a mark made first. */
  async #queueExactly(values: Float32Array): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      if (this.#shown === null || sameBits(values, this.#shown.subarray(0, values.length))) {
        await this.#device.markLastPoints((encodeFloats(values)[0] ?? 0) ^ 0xffff)
      }
      try {
        await this.#device.queuePoints(values)
        break
      } catch (error) {
        if (attempt === ATTEMPTS || !isWorthAnotherAttempt(error)) throw error
        if (error instanceof ModbusTimeout && sameBits(values, await this.#device.lastPoints(values.length))) break
      }
    }
    this.#noteQueued(values)
  }

  async #refill({ dacQueued }: LiveValues): Promise<void> {
    for (let queued = Math.max(dacQueued, 0); queued < (this.#points.done ? PADDING_POINTS : QUEUED_POINTS); ) {
      this.#checkAborted()
      const padding = this.#points.done
      const values = this.#nextPoints()
      if (padding) await this.#queueExactly(values)
      else await this.#queueWhilePlaying(values)
      queued += values.length
    }
  }

  /** While the device plays the counts tell whether an unanswered block was queued. */
  async #queueWhilePlaying(values: Float32Array): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        await this.#device.queuePoints(values)
        break
      } catch (error) {
        if (attempt === ATTEMPTS || !isWorthAnotherAttempt(error)) throw error
        if (!(error instanceof ModbusTimeout)) continue
        const live = await this.#fresh()
        if (live.dacQueued < 0) this.#refuse(live)
        if (this.#missing(live) <= -values.length / 2) break
      }
    }
    this.#noteQueued(values)
  }

  #noteQueued(values: Float32Array): void {
    this.#shown ??= new Float32Array(BLOCK_POINTS)
    this.#shown.set(values)
    this.#lastValue = values.at(-1) ?? this.#lastValue
    this.#written += values.length
  }

  async #fetch(available: number): Promise<void> {
    const last = this.#intake.received + available >= this.#needed
    let left = Math.min(available, this.#needed - this.#intake.received)
    while (left >= BLOCK_PAIRS || (last && left > 0)) {
      this.#checkAborted()
      const pairs = await this.#intake.take(Math.min(BLOCK_PAIRS, left))
      if (pairs === null) return
      left -= pairs.current.length
      this.#unconfirmed.push(pairs)
    }
  }

  #emit({ current, potential }: Pairs): void {
    const first = this.#emitted
    const saturated = this.#saturation.mark(current, potential)
    this.#emitted += current.length
    const skip = first === 0 ? 1 : 0
    const count = current.length - skip
    if (count === 0) return
    const { values, cycle, step } = this.#labels.take(count)
    this.#stats.samples += count
    this.#run.onSamples({
      first: first + skip - 1,
      current: current.subarray(skip),
      potential: potential.subarray(skip),
      applied: values,
      cycle,
      step,
      saturated: saturated?.subarray(skip) ?? null,
      offTarget: null,
    })
  }

  /** The live values, once they agree with what was written and received; what was received is then handed on as rows. */
  async #audited(): Promise<LiveValues> {
    let live = await this.#device.live()
    for (let confirmation = 0; !this.#agrees(live); confirmation++) {
      if (confirmation === CONFIRMATIONS) this.#refuse(live)
      live = await this.#fresh()
    }
    for (const pairs of this.#unconfirmed.splice(0)) this.#emit(pairs)
    this.#allQueued = this.#points.done
    if (!this.#allQueued) {
      const fewest = this.#stats.minQueuedPoints ?? Number.POSITIVE_INFINITY
      this.#stats.minQueuedPoints = Math.min(fewest, live.dacQueued)
    }
    return live
  }

  /** Pairs made according to the points played, less those we know of: positive when pairs were lost, negative when the device had no
   * point to play at as many steps. */
  #missing({ dacQueued, adcQueued }: LiveValues): number {
    return this.#written - Math.max(dacQueued, 0) + this.#idleSteps - adcQueued - this.#intake.received
  }

  #agrees(live: LiveValues): boolean {
    if (!isRunning(live)) return false
    const idle = -this.#missing(live)
    if (idle === 0 && live.dacQueued >= 0) return true
    // Every transfer is accounted for and nothing overwritten, so there were as many steps as there are pairs.
    if (!this.#allQueued || live.adcQueued >= ADC_FIFO_PAIRS || idle < 0) return false
    if (live.dacQueued >= 0) this.#idleSteps += idle
    return true
  }

  #refuse(live: LiveValues): never {
    if (!isRunning(live)) throw new MeasurementInterrupted('The device stopped by itself.')
    const missing = this.#missing(live)
    if (live.adcQueued >= ADC_FIFO_PAIRS || missing > 0) {
      const lost = Math.max(missing, 1)
      this.#stats.lostSamples += lost
      throw new SamplesLost(lost, 'the queue of the device overflowed, or a reply was lost for good')
    }
    this.#stats.underruns += Math.max(1, Math.abs(missing))
    throw new MeasurementInterrupted('The device had no point to play in the middle of the waveform.')
  }

  /** Live values of a control step after everything sent so far: the counts move with every step. */
  async #fresh(): Promise<LiveValues> {
    const giveUpMs = this.#clock.monotonicMs() + STALLED_MS
    const before = await this.#device.live()
    for (;;) {
      await this.#clock.sleepUntil(this.#clock.monotonicMs() + STEP_MS, this.#device.modbus.closed)
      const live = await this.#device.live()
      const moved = live.dacQueued !== before.dacQueued || live.adcQueued !== before.adcQueued
      if (moved || live.adcQueued >= ADC_FIFO_PAIRS || !isRunning(live)) return live
      this.#checkAborted()
      if (this.#clock.monotonicMs() > giveUpMs) throw stalled()
    }
  }

  /** The counts are those of an earlier run until the first control step. */
  async #firstStep(before: LiveValues): Promise<void> {
    for (;;) {
      const live = await this.#device.live()
      if (live.dacQueued >= 0 || live.sampleTicks !== before.sampleTicks) return
      if (this.#clock.monotonicMs() - this.#startedMs > STALLED_MS) {
        throw new MeasurementInterrupted('The device did not start.')
      }
      await this.#sleep(STEP_MS)
    }
  }

  #notePeriod({ sampleTicks }: LiveValues): void {
    if (this.#clock.monotonicMs() - this.#startedMs >= PERIOD_SETTLED_MS) {
      this.#stats.samplePeriodS = sampleTicks * TICK_S
    }
  }

  #checkAborted(): void {
    if (this.#stop.aborted) throw new MeasurementAborted(String(this.#stop.reason))
  }

  #sleep(ms: number): Promise<void> {
    return this.#clock.sleepUntil(this.#clock.monotonicMs() + ms, this.#stop)
  }
}

const stalled = (): MeasurementInterrupted =>
  new MeasurementInterrupted(`The device measured nothing for ${STALLED_MS} ms.`)

const ATTEMPTS = 4

const isWorthAnotherAttempt = (error: unknown): boolean =>
  error instanceof ModbusTimeout ||
  (error instanceof ModbusException && error.modbusCode === ExceptionCode.illegalDataValue)

function sameBits(a: Float32Array, b: Float32Array): boolean {
  return a.length === b.length && a.every((value, index) => Object.is(value, b[index]))
}
