import { Type } from '@sinclair/typebox'
import { defineJob, type SettingsOf } from '../../../events/core/define-job.js'
import { InvalidInput, LabError } from '../../../events/errors.js'
import {
  CalibratedODReading,
  ODFused,
  ODReading,
  ODReadings,
  RawODReading,
  Timestamp,
  timestampOf,
} from '../../../events/payloads.js'
import { type Activity, createJob, type Job, type JobContext, type OptionsOf } from '../../jobs/job.js'
import { type Repeating, repeat } from '../../repeat.js'
import type { Bioreactor, PdChannel } from '../bench-hardware.js'
import type { Calibration, Calibrations } from '../calibrations.js'
import { calibratedOd } from '../control/od-calibration.js'
import type { ExperimentStore } from '../experiment-store.js'
import type { LedBoard } from '../led-board.js'
import { IrReference } from './ir-reference.js'
import { readCorrections, readIrChannel, readPhotodiodes } from './od-optics.js'
import { type OdBatch, OdReader } from './od-reader.js'
import { OverRange, PhotodiodeSampler } from './photodiode-sampler.js'

const Interval = Type.Number({ exclusiveMinimum: 0 })
const Percent = Type.Number({ minimum: 0, maximum: 100 })

const options = {
  interval: { schema: Interval, unit: 's', doc: 'Time between readings.' },
  ir_led_intensity: { schema: Percent, unit: '%', doc: 'Intensity of the IR LED.' },
  snapshot: { schema: Type.Boolean(), doc: 'One reading, then the job ends.' },
} as const

const RelativeIntensity = Type.Object({ relative_intensity_of_ir_led: Type.Number(), timestamp: Timestamp })

export const odReading = defineJob(
  'od_reading',
  { help: 'Read optical density with the photodiodes.', options },
  {
    first_od_obs_time: { schema: Type.Number(), unit: 's', doc: 'Unix time from which readings repeat.' },
    ir_led_intensity: { schema: Percent, unit: '%', settable: true, doc: 'Intensity of the IR LED while reading.' },
    interval: { schema: Interval, unit: 's', settable: true, doc: 'Time between readings.' },
    relative_intensity_of_ir_led: { schema: RelativeIntensity, doc: 'Light the IR LED gives; one reading in five.' },
    ods: { schema: ODReadings, doc: 'All signal channels of one reading.' },
    od1: { schema: ODReading, doc: 'Photodiode 1: calibrated if it can be, else raw.' },
    od2: { schema: ODReading, doc: 'Photodiode 2.' },
    od3: { schema: ODReading, doc: 'Photodiode 3.' },
    od4: { schema: ODReading, doc: 'Photodiode 4.' },
    raw_od1: { schema: RawODReading, doc: 'Raw reading behind a calibrated one.' },
    raw_od2: { schema: RawODReading, doc: 'Raw reading behind a calibrated one.' },
    raw_od3: { schema: RawODReading, doc: 'Raw reading behind a calibrated one.' },
    raw_od4: { schema: RawODReading, doc: 'Raw reading behind a calibrated one.' },
    calibrated_od1: { schema: CalibratedODReading, doc: 'Calibrated reading.' },
    calibrated_od2: { schema: CalibratedODReading, doc: 'Calibrated reading.' },
    calibrated_od3: { schema: CalibratedODReading, doc: 'Calibrated reading.' },
    calibrated_od4: { schema: CalibratedODReading, doc: 'Calibrated reading.' },
    od_fused: { schema: ODFused, doc: 'Several angles combined by an estimator.' },
  },
)
export type OdReadingSettings = SettingsOf<typeof odReading>
type Run = JobContext<OdReadingSettings>

export interface OdReadingDeps {
  readonly bioreactor: Bioreactor
  readonly leds: LedBoard
  readonly calibrations: Calibrations
  readonly store: ExperimentStore
  /** Uniform in [0, 1). */
  readonly random: () => number
}

const SECTION = 'od_reading.config'
/** Blink code of a photodiode near its limit. Source: Pioreactor error codes. */
const TOO_BRIGHT = 5
/** Above this the IR LED ages fast, %. */
const BRIGHT_IR = 90
const RELATIVE_INTENSITY_SHARE = 0.2
/** Between warnings about one calibration, s. */
const WARN_EVERY_S = 300

export const createOdReadingJob = (deps: OdReadingDeps): Job =>
  createJob(odReading, options, (run, given) => startOdReading(run, given, deps))

async function startOdReading(
  run: Run,
  given: OptionsOf<typeof options>,
  { bioreactor, leds, calibrations, store, random }: OdReadingDeps,
): Promise<Activity<OdReadingSettings>> {
  const { config, clock, experiment } = run
  const photodiodes = readPhotodiodes(config)
  const irChannel = readIrChannel(config)
  const corrections = await readCorrections(photodiodes, experiment, calibrations, store)
  const wanted = given.ir_led_intensity ?? configuredIntensity(run)
  const intervalS = given.snapshot === true ? null : (given.interval ?? defaultInterval(run))
  if (!(await bioreactor.isHatPresent())) {
    throw new LabError('hardware.missing', 'hardware', 'The HAT does not answer.', { remediation: 'Attach the HAT.' })
  }

  const channels = [
    ...photodiodes.signals.map((signal) => signal.channel),
    ...(photodiodes.reference === null ? [] : [photodiodes.reference]),
  ]
  const inputs: { channel: PdChannel; adc: Awaited<ReturnType<Bioreactor['openPhotodiode']>> }[] = []
  for (const channel of channels) inputs.push({ channel, adc: await bioreactor.openPhotodiode(channel) })
  const mains = config.text(SECTION, 'local_ac_hz', '')
  const sampler = new PhotodiodeSampler({
    clock,
    inputs,
    mainsHz: mains === '' ? null : config.number(SECTION, 'local_ac_hz', undefined, { above: 0, unit: 'Hz' }),
    useDarkOffsets: config.boolean(SECTION, 'use_dark_offsets', true),
    onNearLimit: (channel, volts) => {
      run.log('warning', `Photodiode ${channel} is at ${volts.toFixed(2)} V, near its limit of 3.2 V; dim the IR LED.`)
      run.emit('monitor/flicker_led_with_error_code', TOO_BRIGHT)
    },
    onUnsolvable: (channel) =>
      run.log('error', `Mains light on photodiode ${channel} could not be fitted; using the mean.`),
  })
  const unity = config.text(SECTION, 'ref_normalization', 'classic') === 'unity'
  const alpha = config.number(SECTION, 'pd_reference_ema', undefined, { min: 0, max: 1 })
  const reference =
    photodiodes.reference === null
      ? null
      : new IrReference({ experiment, store, normalization: unity ? 'unity' : 'classic', alpha })
  const reader = new OdReader({
    run,
    leds,
    sampler,
    photodiodes,
    reference,
    irChannel,
    othersOff: config.boolean(SECTION, 'turn_off_leds_during_reading', true),
    settleS: config.number(SECTION, 'duration_between_led_off_and_od_reading', 0.125, { min: 0, unit: 's' }),
    blank: corrections.blank,
  })
  const series = new OdSeries({
    run,
    reader,
    leds,
    calibrations: corrections.calibrations,
    random,
    intervalS,
  })
  run.atEnd(() => series.end())
  const intensity = await series.guarded(() => reader.prepare(wanted, run.ending))
  series.setIntensity(intensity)
  if (intervalS !== null) run.publish('interval', intervalS)
  return series
}

function configuredIntensity({ config }: Run): number | 'auto' {
  if (config.text(SECTION, 'ir_led_intensity').trim() === 'auto') return 'auto'
  return config.number(SECTION, 'ir_led_intensity', undefined, { min: 0, max: 100, unit: '%' })
}

const defaultInterval = ({ config }: Run): number =>
  1 / config.number(SECTION, 'samples_per_second', 0.2, { above: 0, unit: 'readings per s' })

interface OdSeriesOptions {
  readonly run: Run
  readonly reader: OdReader
  readonly leds: LedBoard
  readonly calibrations: ReadonlyMap<PdChannel, Calibration>
  readonly random: () => number
  /** Null for a single reading. */
  readonly intervalS: number | null
}

/** Readings one after the other, published as they come. */
class OdSeries implements Activity<OdReadingSettings> {
  readonly #options: OdSeriesOptions
  #intervalS: number | null
  #intensity = 0
  #timer: Repeating | null = null
  #awake = true
  /** Ends the reading under way. */
  #interrupt = new AbortController()
  #busy: Promise<void> = Promise.resolve()
  #isPhaseKnown = false
  #warnedAtMs = Number.NEGATIVE_INFINITY
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
    else void this.#readOnce().finally(() => this.#options.run.end(null))
  }

  async sleep(): Promise<void> {
    this.#awake = false
    this.#interrupt.abort()
    await this.#busy
    await this.#options.reader.darken()
  }

  async wake(): Promise<void> {
    this.#interrupt = new AbortController()
    this.#awake = true
  }

  async end(): Promise<void> {
    await this.sleep()
    await this.#timer?.stop()
  }

  setIntensity(percent: number): void {
    const { run, reader } = this.#options
    if (percent > BRIGHT_IR) run.log('warning', `An IR intensity of ${percent} % shortens the life of the LED.`)
    if (percent !== this.#intensity) reader.forget()
    this.#intensity = percent
    run.publish('ir_led_intensity', percent)
  }

  /** Runs a measurement; a photodiode in danger puts out every LED and ends the job. */
  async guarded<T>(measure: () => Promise<T>): Promise<T> {
    const { run, leds } = this.#options
    try {
      return await measure()
    } catch (error) {
      if (error instanceof OverRange) {
        run.emit('monitor/flicker_led_with_error_code', TOO_BRIGHT)
        await leds.allOff(run, 'ADCReader')
        run.end(error.message)
      }
      throw error
    }
  }

  #refuseUncalibrated(percent: number): void {
    for (const { calibration_name: name, ir_led_intensity: calibrated } of this.#options.calibrations.values()) {
      if (calibrated === undefined || calibrated === percent) continue
      throw new InvalidInput(
        `ir_led_intensity is ${percent} %; calibration '${name}' holds for ${calibrated} % only.`,
        { details: { field: 'ir_led_intensity', value: percent } },
        'od.intensity_calibrated',
      )
    }
  }

  async #setInterval(seconds: number): Promise<void> {
    const { run } = this.#options
    if (seconds <= 1) run.log('warning', `An interval of ${seconds} s is hardly longer than a reading.`)
    const timer = this.#timer
    this.#timer = null
    await timer?.stop()
    this.#intervalS = seconds
    this.#isPhaseKnown = false
    run.publish('interval', seconds)
    if (!run.ending.aborted) this.#startTimer(seconds)
  }

  #startTimer(intervalS: number): void {
    this.#timer = repeat({
      clock: this.#options.run.clock,
      intervalS,
      immediately: true,
      tick: () => (this.#awake ? this.#readOnce() : undefined),
      onError: (error) => this.#options.run.logger.error({ err: error }, 'reading failed'),
    })
  }

  #readOnce(): Promise<void> {
    this.#busy = this.#read(this.#interrupt.signal).catch((error: unknown) => {
      const { run } = this.#options
      if (this.#interrupt.signal.aborted || run.ending.aborted) return
      run.log('error', `Reading lost: ${error instanceof Error ? error.message : String(error)}`)
      if (!(error instanceof LabError)) run.logger.error({ err: error }, 'reading failed')
    })
    return this.#busy
  }

  async #read(stop: AbortSignal): Promise<void> {
    const { run, reader, random } = this.#options
    if (!this.#isPhaseKnown) {
      this.#isPhaseKnown = true
      run.publish('first_od_obs_time', run.clock.now().getTime() / 1000)
    }
    const intervalS = this.#intervalS
    const penalty =
      intervalS === null ? 0 : run.config.number(SECTION, 'smoothing_penalizer', 3, { min: 0 }) / intervalS
    try {
      const batch = await this.guarded(() => reader.read(this.#intensity, intervalS, penalty, stop))
      if (!batch.stable) this.#reportNoise()
      this.#publish(batch)
    } finally {
      const level = reader.lightLevel
      if (level !== null && random() < RELATIVE_INTENSITY_SHARE) {
        const timestamp = timestampOf(run.clock.now())
        run.publish('relative_intensity_of_ir_led', { relative_intensity_of_ir_led: level, timestamp })
      }
    }
  }

  /** Dosing on readings that cannot be trusted could wash a culture out. */
  #reportNoise(): void {
    const { run } = this.#options
    run.log('warning', 'The reference photodiode is unsteady; dosing is put to sleep. Check the vial and its cap.')
    run.emit('dosing_automation/$state/set', 'sleeping')
  }

  #publish({ timestamp, raw }: OdBatch): void {
    const { run, calibrations } = this.#options
    const mismatched = raw.find(({ channel, ir_led_intensity }) => {
      const calibrated = calibrations.get(channel)?.ir_led_intensity
      return calibrated !== undefined && calibrated !== ir_led_intensity
    })
    if (mismatched !== undefined) {
      run.publish('ods', null)
      for (const reading of raw) {
        run.publish(`od${reading.channel}`, null)
        run.publish(`calibrated_od${reading.channel}`, null)
        run.publish(`raw_od${reading.channel}`, reading)
      }
      throw new LabError(
        'od.calibration_mismatch',
        'state',
        `Readings were taken at ${mismatched.ir_led_intensity} % IR; the calibration of channel ${mismatched.channel} holds for ${calibrations.get(mismatched.channel)?.ir_led_intensity} %.`,
      )
    }
    const readings = raw.map((reading) => ({ reading, published: this.#calibrate(reading) }))
    run.publish('ods', {
      timestamp,
      ods: Object.fromEntries(readings.map(({ reading, published }) => [reading.channel, published])),
    })
    for (const { reading, published } of readings) {
      run.publish(`od${reading.channel}`, published)
      if (published.calibrated === 0) continue
      run.publish(`raw_od${reading.channel}`, reading)
      run.publish(`calibrated_od${reading.channel}`, published)
    }
  }

  #calibrate(reading: RawODReading): ODReading {
    const calibration = this.#options.calibrations.get(reading.channel)
    if (calibration === undefined) return reading
    const { curve_data_: curve, recorded_data: recorded, calibration_name } = calibration
    const { od, outside } = calibratedOd({ curve, recorded }, reading.od)
    if (outside) this.#warnOutside(calibration_name, od)
    const { timestamp, angle, channel, ir_led_intensity } = reading
    return { calibrated: 1, timestamp, angle, od, channel, ir_led_intensity, calibration_name }
  }

  #warnOutside(name: string, od: number): void {
    const { run } = this.#options
    const nowMs = run.clock.monotonicMs()
    if (nowMs - this.#warnedAtMs < WARN_EVERY_S * 1000) return
    this.#warnedAtMs = nowMs
    run.log('warning', `The signal is outside calibration '${name}'; its limit of OD ${od} is reported instead.`)
  }
}
