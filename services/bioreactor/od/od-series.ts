import { dosingStateOrder } from '../../../events/bioreactor/orders.js'
import { errorCodeEvent } from '../../../events/bioreactor/outputs.js'
import { defineError, isDefect } from '../../../events/core/errors.js'
import { timestampOf } from '../../../events/core/timestamp.js'
import { deadline } from '../../../primitives/deadline.js'
import type { Activity, JobContext } from '../../jobs/job.js'
import { type Repeating, repeat } from '../../runtime/repeat.js'
import type { LedBoard } from '../board/led-board.js'
import { MEASURED_READINGS, readingDurationS } from '../control/dodge-schedule.js'
import type { OdBatch, OdReader } from './od-reader.js'
import type { OdReadingSettings } from './od-reading.js'
import type { OdScale } from './od-scale.js'
import { OverRange } from './photodiode-sampler.js'

const IntensityCalibrated = defineError(
  'od.intensity_calibrated',
  'input',
  'The IR intensity cannot change while a calibration or estimator made at the present one is in use.',
)
const CalibrationMismatch = defineError(
  'od.calibration_mismatch',
  'state',
  'The optical density calibration holds for another IR intensity.',
)

/** Blink code of a photodiode near its limit. Source: Pioreactor error codes. */
export const TOO_BRIGHT = 5
/** Above this the IR LED ages fast, %. */
const BRIGHT_IR = 90
const RELATIVE_INTENSITY_SHARE = 0.2
/** A reading that was told to end and has not by then hangs, ms. */
const HANGS_MS = 1000

export interface OdSeriesOptions {
  readonly job: JobContext<OdReadingSettings>
  readonly reader: OdReader
  readonly leds: LedBoard
  readonly scale: OdScale
  readonly random: () => number
  /** Null for a single reading. */
  readonly intervalS: number | null
  /** Weight of the last reading, times the interval in s. */
  readonly smoothing: number
}

/** Readings one after the other, published as they come. */
export class OdSeries implements Activity<OdReadingSettings> {
  readonly #options: OdSeriesOptions
  #intervalS: number | null
  #intensity = 0
  #timer: Repeating | null = null
  #awake = true
  /** Ends the reading under way. */
  #interrupt = new AbortController()
  #busy: Promise<void> = Promise.resolve()
  #isPhaseKnown = false
  /** How long the latest readings lasted, s. */
  #lastedS: readonly number[] = []
  readonly setters: Activity<OdReadingSettings>['setters'] = {
    interval: { apply: (seconds) => this.#setInterval(seconds) },
    ir_led_intensity: {
      check: (percent) => this.#refuseUncalibrated(percent),
      apply: (percent) => this.setIntensity(percent),
    },
  }

  constructor(options: OdSeriesOptions) {
    this.#options = options
    this.#intervalS = options.intervalS
  }

  begin(): void {
    if (this.#intervalS !== null) this.#startTimer(this.#intervalS)
    else void this.#readOnce().finally(() => this.#options.job.end(null))
  }

  async sleep(): Promise<void> {
    this.#awake = false
    this.#interrupt.abort()
    await this.#unlessItHangs(this.#busy)
    await this.#options.reader.darken()
  }

  async wake(): Promise<void> {
    this.#interrupt = new AbortController()
    this.#awake = true
  }

  async end(): Promise<void> {
    await Promise.all([this.sleep(), this.#unlessItHangs(this.#timer?.stop())])
  }

  setIntensity(percent: number): void {
    const { job, reader } = this.#options
    if (percent > BRIGHT_IR) job.log('warning', `An IR intensity of ${percent} % shortens the life of the LED.`)
    if (percent !== this.#intensity) reader.forget()
    this.#intensity = percent
    job.publish('ir_led_intensity', percent)
    this.#tellWarmUp()
  }

  /** Runs a measurement; a photodiode in danger puts out every LED and ends the job. */
  async guarded<T>(measure: () => Promise<T>): Promise<T> {
    const { job, leds } = this.#options
    try {
      return await measure()
    } catch (error) {
      if (error instanceof OverRange) {
        job.emit(errorCodeEvent, TOO_BRIGHT)
        await leds.allOff(job, 'ADCReader')
        job.end(error.message)
      }
      throw error
    }
  }

  /** A converter that never answers must not keep the light on, nor the job. */
  #unlessItHangs(work: Promise<void> = Promise.resolve()): Promise<void> {
    return deadline(HANGS_MS, work, () => undefined, this.#options.job.clock)
  }

  #refuseUncalibrated(percent: number): void {
    const contradiction = this.#options.scale.contradiction(percent)
    if (contradiction === null) return
    throw new IntensityCalibrated(`ir_led_intensity is ${percent} %; ${contradiction} only.`, {
      details: { field: 'ir_led_intensity', value: percent },
    })
  }

  async #setInterval(seconds: number): Promise<void> {
    const { job } = this.#options
    if (seconds <= 1) job.log('warning', `An interval of ${seconds} s is hardly longer than a reading.`)
    const timer = this.#timer
    this.#timer = null
    await timer?.stop()
    this.#intervalS = seconds
    this.#isPhaseKnown = false
    job.publish('interval', seconds)
    if (!job.ending.aborted) this.#startTimer(seconds)
  }

  #startTimer(intervalS: number): void {
    this.#timer = repeat({
      clock: this.#options.job.clock,
      intervalS,
      immediately: true,
      tick: () => (this.#awake ? this.#readOnce() : undefined),
      onError: (error) => this.#options.job.logger.error({ err: error }, 'reading failed'),
      onSkipped: (count) => this.#tellMissing(count, intervalS),
    })
  }

  /** A gap is told before the reading that ends it. Where readings take longer than their interval, none was due. */
  #tellMissing(count: number, intervalS: number): void {
    const { job } = this.#options
    const areAlwaysLong = this.#lastedS.length > 0 && Math.min(...this.#lastedS) > intervalS
    if (!this.#awake || areAlwaysLong) return
    const readings = count === 1 ? '1 reading is' : `${count} readings are`
    job.log('warning', `${readings} missing: the computer was too busy to take them in time.`)
  }

  #readOnce(): Promise<void> {
    this.#busy = this.#read(this.#interrupt.signal).catch((error: unknown) => {
      const { job } = this.#options
      if (this.#interrupt.signal.aborted || job.ending.aborted) return
      job.log('error', `Reading lost: ${error instanceof Error ? error.message : String(error)}`)
      if (isDefect(error)) job.logger.error({ err: error }, 'reading failed')
    })
    return this.#busy
  }

  async #read(stop: AbortSignal): Promise<void> {
    const { job, reader, random, smoothing } = this.#options
    if (!this.#isPhaseKnown) {
      this.#isPhaseKnown = true
      job.publish('first_od_obs_time', job.clock.now().getTime() / 1000)
    }
    const intervalS = this.#intervalS
    const penalty = intervalS === null ? 0 : smoothing / intervalS
    const beginMs = job.clock.monotonicMs()
    try {
      const batch = await this.guarded(() => reader.read(this.#intensity, intervalS, penalty, stop))
      const endMs = job.clock.monotonicMs()
      if (!batch.stable) this.#reportNoise()
      this.#publish(batch)
      this.#tellWarmUp()
      this.#tellDuration(endMs - beginMs)
    } finally {
      const level = reader.lightLevel
      if (level !== null && random() < RELATIVE_INTENSITY_SHARE) {
        const timestamp = timestampOf(job.clock.now())
        job.publish('relative_intensity_of_ir_led', { relative_intensity_of_ir_led: level, timestamp })
      }
    }
  }

  #tellWarmUp(): void {
    const { job, reader } = this.#options
    if (this.#intervalS !== null && job.value('warm_up') !== reader.warmUp) job.publish('warm_up', reader.warmUp)
  }

  #tellDuration(ms: number): void {
    const { job } = this.#options
    if (this.#intervalS === null) return
    this.#lastedS = [...this.#lastedS, ms / 1000].slice(-MEASURED_READINGS)
    const duration = readingDurationS(this.#lastedS)
    if (job.value('reading_duration') !== duration) job.publish('reading_duration', duration)
  }

  /** Dosing on readings that cannot be trusted could wash a culture out. It sleeps before it sees this one, whatever becomes of the order. */
  #reportNoise(): void {
    const { job } = this.#options
    const dosing = job.peers.find('dosing_automation')
    if (dosing?.state === 'ready') dosing.pause('the reference photodiode is unsteady')
    job.log('warning', 'The reference photodiode is unsteady; dosing is put to sleep. Check the vial and its cap.')
    job.emit(dosingStateOrder, 'sleeping')
  }

  #publish({ timestamp, raw }: OdBatch): void {
    const { job, scale } = this.#options
    if (raw.some((reading) => scale.isMismatched(reading))) {
      this.#publishRawOnly(raw)
      const contradiction = scale.contradiction(this.#intensity) ?? 'a calibration holds for another intensity'
      throw new CalibrationMismatch(`Readings were taken at ${this.#intensity} % IR; ${contradiction}.`)
    }
    const readings = raw.map((reading) => ({ reading, published: scale.calibrate(reading) }))
    job.publish('ods', {
      timestamp,
      ods: Object.fromEntries(readings.map(({ reading, published }) => [reading.channel, published])),
    })
    for (const { reading, published } of readings) {
      job.publish(`od${reading.channel}`, published)
      if (published.calibrated === 0) continue
      job.publish(`raw_od${reading.channel}`, reading)
      job.publish(`calibrated_od${reading.channel}`, published)
    }
    const fused = scale.fuse(raw)
    const quality = fused?.atBound === true ? ({ quality: 'clamped' } as const) : {}
    job.publish('od_fused', fused === null ? null : { od_fused: fused.od, timestamp, ...quality })
  }

  /** What a calibration for another intensity would make of them is no OD. */
  #publishRawOnly(raw: OdBatch['raw']): void {
    const { job } = this.#options
    job.publish('ods', null)
    job.publish('od_fused', null)
    for (const reading of raw) {
      job.publish(`od${reading.channel}`, null)
      job.publish(`calibrated_od${reading.channel}`, null)
      job.publish(`raw_od${reading.channel}`, reading)
    }
  }
}
