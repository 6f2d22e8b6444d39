// Longer than 300 lines: setting the current and reading what flows take turns, and share what they count.

import type { Clock } from '../../../events/ports.js'
import { isCurrentControlled, isRunning, type Potentiostat } from '../device/device.js'
import { restPotential } from '../device/quiesce.js'
import { ADC_FIFO_PAIRS, type LiveValues, NOMINAL_PERIOD_S, TICK_S } from '../device/registers.js'
import { MeasurementAborted, MeasurementInterrupted, SamplesLost } from '../errors.js'
import { SaturationDetector } from '../evaluation/saturation.js'
import { SetPointWatch } from '../evaluation/set-point.js'
import type { AcquisitionStats } from './acquisition-stats.js'
import { BLOCK_PAIRS, PairIntake } from './pair-intake.js'
import type { Samples } from './plan.js'
import { unwindControl } from './unwind.js'
import { type Segment, WaveformCursor } from './waveform.js'

/** Readings follow each other at this interval, ms; also how often queued pairs are fetched. */
const POLL_MS = 8
/** Firmware that queues pairs under current control has queued hundreds by then. */
const DECIDE_MS = 100
const PERIOD_SETTLED_MS = 500
/** Pairs come every 0.36 ms; without any for so long the device no longer measures. */
const STALLED_MS = 2000
const PERIOD_MS = NOMINAL_PERIOD_S * 1000
/** Rows hold the reading before them for at most this long; a longer gap is a loss of samples. */
const READING_GAP_MS = 500

export interface GalvanostaticRun {
  /** A, constant per segment. */
  segments(): Iterable<Segment>
  readonly samples: number
  /** Resistance of the amplifier, and length of the running averages. */
  readonly tiaOhm: number
  readonly filterSamples: number
  onStart(startedAt: Date): void
  onSamples(samples: Samples): void
  /** Each look at the device, before its rows: what may end the measurement at once. */
  onLive(live: LiveValues): void
  /** The cell at rest, before it is connected; throws when it must not be. */
  onRest(potentialV: number): void
}

/** A target in force from a sample index on. */
interface Target {
  readonly from: number
  readonly segment: Segment
}

interface Reading {
  /** Since the start. */
  readonly ms: number
  readonly current: number
  readonly potential: number
}

/** Applies a sequence of currents and records the potential, one row per nominal sample period.
 *
 * Firmware 1.0.0 queues no pairs under current control, although pyBEEP expects them. When pairs come they become the rows. When none
 * have come after 100 ms the live values, which are read from the first moment on, become the rows: each row holds the latest reading
 * at its time, and the stats say how many readings there were and how far apart. Rows carry the target that was in force.
 * @throws SamplesLost, MeasurementInterrupted, MeasurementAborted, ModbusTimeout, ConnectionLost. */
export async function acquireGalvanostatic(
  device: Potentiostat,
  clock: Clock,
  run: GalvanostaticRun,
  stats: AcquisitionStats,
  stop: AbortSignal,
): Promise<void> {
  await new GalvanostaticAcquisition(device, clock, run, stats, stop).acquire()
}

class GalvanostaticAcquisition {
  readonly #device: Potentiostat
  readonly #clock: Clock
  readonly #run: GalvanostaticRun
  readonly #stats: AcquisitionStats
  readonly #stop: AbortSignal
  readonly #steps: WaveformCursor
  readonly #intake: PairIntake
  #startedMs = 0
  /** Nominal end of the step in force, samples. */
  #stepEnd = 0
  #skippedSteps = 0
  /** Targets whose rows are not all written yet, oldest first. */
  readonly #targets: Target[] = []
  #queued = false
  /** Count of an earlier run, which stands until the first pair is queued. */
  #staleCount = 0
  /** When how many pairs had been made. */
  #anchor = { pairs: 0, ms: 0 }
  /** Readings that rows still need, oldest first. */
  #pending: Reading[] = []
  #readings = 0
  #longestGapMs = 0
  #evaluation = Number.NaN
  readonly #setPoint: SetPointWatch
  readonly #pairSaturation: SaturationDetector
  readonly #readingSaturation: SaturationDetector

  constructor(device: Potentiostat, clock: Clock, run: GalvanostaticRun, stats: AcquisitionStats, stop: AbortSignal) {
    this.#device = device
    this.#clock = clock
    this.#run = run
    this.#stats = stats
    this.#stop = stop
    this.#steps = new WaveformCursor(run.segments())
    this.#intake = new PairIntake(device)
    this.#setPoint = new SetPointWatch(run.tiaOhm)
    this.#pairSaturation = new SaturationDetector(run.tiaOhm, run.filterSamples)
    this.#readingSaturation = new SaturationDetector(run.tiaOhm, 1)
  }

  async acquire(): Promise<void> {
    const first = this.#steps.nextSegment()
    if (first === undefined) return
    await this.#connectAtRest()
    await this.#device.pidStart(first.from)
    this.#startedMs = this.#clock.monotonicMs()
    this.#stepEnd = first.points
    this.#targets.push({ from: 0, segment: first })
    this.#run.onStart(this.#clock.now())
    try {
      while (this.#stats.samples < this.#run.samples) await this.#turn()
    } finally {
      this.#explain()
    }
  }

  /** Looks at the device once: sends the step that is due, and takes what was measured. */
  async #turn(): Promise<void> {
    this.#checkAborted()
    await this.#stepOn()
    const live = await this.#device.live()
    if (!isRunning(live) || !isCurrentControlled(live)) {
      throw new MeasurementInterrupted('The device stopped current control by itself.')
    }
    const ms = this.#elapsedMs()
    const reading = { ms, current: live.currentA, potential: live.potentialV }
    if (ms >= PERIOD_SETTLED_MS) this.#stats.samplePeriodS = live.sampleTicks * TICK_S
    this.#run.onLive(live)
    if (this.#stop.aborted && !this.#queued) this.#endWith(reading)
    this.#checkAborted()
    if (this.#queued || live.adcQueued !== this.#staleCount) await this.#fetch(live.adcQueued, ms)
    if (!this.#queued) {
      await this.#note(reading)
      if (ms >= Math.min(DECIDE_MS, this.#run.samples * PERIOD_MS)) this.#holdReadings()
    }
    await this.#clock.sleepUntil(this.#startedMs + Math.min(ms + POLL_MS, this.#stepEnd * PERIOD_MS), this.#stop)
  }

  /** Closes the cell at its own potential, so that nothing flows before control begins. */
  async #connectAtRest(): Promise<void> {
    const potentialV = await restPotential(this.#device, this.#clock)
    this.#run.onRest(potentialV)
    await unwindControl(this.#device, this.#clock, potentialV, this.#stop)
    this.#staleCount = (await this.#device.live()).adcQueued
    await this.#device.setPotential(potentialV)
    await this.#device.clearPairs()
    await this.#intake.prepare()
    await this.#device.setSwitch(true)
  }

  /** Sends the target that is due by now; steps already over are skipped. */
  async #stepOn(): Promise<void> {
    const now = this.#elapsedMs() / PERIOD_MS
    let due: Segment | undefined
    while (now >= this.#stepEnd && !this.#steps.done) {
      if (due !== undefined) this.#skippedSteps += 1
      due = this.#steps.nextSegment()
      this.#stepEnd += due?.points ?? 0
    }
    if (due === undefined) return
    await this.#device.pidStart(due.from)
    const elapsed = this.#elapsedMs() / PERIOD_MS
    const from = this.#queued ? this.#intake.received + (await this.#device.live()).adcQueued : elapsed
    this.#targets.push({ from, segment: due })
  }

  async #fetch(available: number, ms: number): Promise<void> {
    this.#queued = true
    const pairs = this.#intake.received + available
    if (pairs !== this.#anchor.pairs) this.#anchor = { pairs, ms }
    else if (ms - this.#anchor.ms > STALLED_MS) {
      throw new MeasurementInterrupted(`The device measured nothing for ${STALLED_MS} ms.`)
    }
    if (available >= ADC_FIFO_PAIRS) {
      const lost = Math.max(1, Math.round(this.#elapsedMs() / PERIOD_MS) - this.#intake.received - available)
      this.#stats.lostSamples += lost
      throw new SamplesLost(lost, 'the queue of the device overflowed')
    }
    let left = Math.min(available, this.#run.samples - this.#intake.received)
    const last = this.#intake.received + left >= this.#run.samples
    while (left >= BLOCK_PAIRS || (last && left > 0)) {
      const pairs = await this.#intake.take(Math.min(BLOCK_PAIRS, left))
      if (pairs === null) return
      left -= pairs.current.length
      this.#emit(pairs.current, pairs.potential, this.#pairSaturation.mark(pairs.current, pairs.potential))
    }
  }

  /** Keeps a reading that the device has taken since the one before. */
  async #note(reading: Reading): Promise<void> {
    const gapMs = reading.ms - (this.#pending.at(-1)?.ms ?? 0)
    this.#longestGapMs = Math.max(this.#longestGapMs, gapMs)
    if (gapMs > READING_GAP_MS) {
      const lost = Math.round(gapMs / PERIOD_MS)
      this.#stats.lostSamples += lost
      throw new SamplesLost(lost, `the device gave no new reading for ${Math.round(gapMs)} ms`)
    }
    if (!(await this.#isNew(reading))) return
    this.#pending.push(reading)
    this.#readings += 1
  }

  /** Readings that differ are two; equal ones may be those of an amplifier at its limit, or one reading of a device that stands still. */
  async #isNew({ current, potential }: Reading): Promise<boolean> {
    const last = this.#pending.at(-1)
    if (last === undefined || last.current !== current || last.potential !== potential) return true
    const evaluation = await this.#device.controlEvaluation()
    const isLater = evaluation !== this.#evaluation
    this.#evaluation = evaluation
    return isLater
  }

  /** The reading that reached a limit is the last one of the rows. */
  #endWith(reading: Reading): void {
    this.#pending.push(reading)
    this.#readings += 1
    this.#holdReadings()
  }

  #checkAborted(): void {
    if (this.#stop.aborted) throw new MeasurementAborted(String(this.#stop.reason))
  }

  /** Rows up to the latest reading; each holds the reading before it, rows before the first reading hold that one. */
  #holdReadings(): void {
    const { samples } = this.#run
    const latestMs = this.#pending.at(-1)?.ms ?? 0
    const first = this.#stats.samples
    const end = latestMs >= samples * PERIOD_MS ? samples : Math.min(samples, Math.ceil(latestMs / PERIOD_MS))
    const current = new Float32Array(Math.max(0, end - first))
    const potential = new Float32Array(current.length)
    let used = 0
    for (let i = 0; i < current.length; i++) {
      while ((this.#pending[used + 1]?.ms ?? Number.POSITIVE_INFINITY) <= (first + i) * PERIOD_MS) used += 1
      current[i] = this.#pending[used]?.current ?? 0
      potential[i] = this.#pending[used]?.potential ?? 0
    }
    this.#pending = this.#pending.slice(used)
    this.#emit(current, potential, this.#readingSaturation.mark(current, potential))
  }

  #emit(current: Float32Array, potential: Float32Array, saturated: Uint8Array | null): void {
    const first = this.#stats.samples
    const count = current.length
    if (count === 0) return
    const applied = new Float32Array(count)
    const cycle = new Float64Array(count)
    const step = new Float64Array(count)
    let offTarget: Uint8Array | null = null
    let labels: Segment | undefined
    for (let i = 0; i < count; i++) {
      while ((this.#targets[1]?.from ?? Number.POSITIVE_INFINITY) <= first + i) this.#targets.shift()
      const target = this.#targets[0]
      labels = target?.segment
      applied[i] = labels?.from ?? 0
      const sample = {
        askedA: labels?.from ?? 0,
        flowingA: current[i] ?? 0,
        potentialV: potential[i] ?? 0,
        after: first + i - (target?.from ?? 0),
        points: labels?.points ?? 0,
      }
      if (this.#setPoint.isOff(sample)) {
        offTarget ??= new Uint8Array(count)
        offTarget[i] = 1
      }
      cycle[i] = labels?.cycle ?? 0
      step[i] = labels?.step ?? 0
    }
    this.#stats.samples += count
    this.#run.onSamples({
      first,
      current,
      potential,
      applied,
      cycle: labels?.cycle === undefined ? null : cycle,
      step: labels?.step === undefined ? null : step,
      saturated,
      offTarget,
    })
  }

  #explain(): void {
    const stats = this.#stats
    for (const { code, message } of this.#setPoint.warnings()) stats.warn(code, message)
    if (this.#skippedSteps > 0) {
      const message = `${this.#skippedSteps} step(s) were over before they could be sent to the device; they were skipped.`
      stats.warn('steps_skipped', message)
    }
    if (this.#queued) return
    stats.polledReadings = this.#readings
    const spacing = (stats.samples * PERIOD_MS) / Math.max(1, this.#readings)
    stats.warn(
      'readings_polled',
      `The device queues no samples under current control; rows hold ${this.#readings} readings, one every ${spacing.toFixed(1)} ms on average, at most ${Math.round(this.#longestGapMs)} ms apart.`,
    )
  }

  #elapsedMs(): number {
    return this.#clock.monotonicMs() - this.#startedMs
  }
}
