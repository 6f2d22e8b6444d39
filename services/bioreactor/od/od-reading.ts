import { Type } from '@sinclair/typebox'
import { errorCodeEvent } from '../../../events/bioreactor/outputs.js'
import {
  CalibratedODReading,
  ODFused,
  ODReading,
  ODReadings,
  RawODReading,
} from '../../../events/bioreactor/readings.js'
import { defineJob, type ParametersOf, type SettingsOf } from '../../../events/core/define-job.js'
import { defineError, InvalidInput } from '../../../events/core/errors.js'
import { perChannel } from '../../../events/core/parameter.js'
import { Timestamp } from '../../../events/core/timestamp.js'
import { choice } from '../../../events/core/values.js'
import { createJob, type Job, type JobContext } from '../../jobs/job.js'
import { type Bioreactor, PD_CHANNELS, type PdChannel } from '../board/board.js'
import type { LedBoard } from '../board/led-board.js'
import type { Calibrations, Estimators } from '../calibrations/artifact-store.js'
import { PartMissing } from '../errors.js'
import type { ExperimentStore } from '../experiment-store.js'
import { IrReference } from './ir-reference.js'
import { openPhotodiodes, readCorrections, readIrChannel, readPhotodiodes } from './od-optics.js'
import { OdReader } from './od-reader.js'
import { OdScale } from './od-scale.js'
import { OdSeries, TOO_BRIGHT } from './od-series.js'
import { PhotodiodeSampler } from './photodiode-sampler.js'

const SelfTestRuns = defineError('od.self_test_runs', 'state', '`self_test` runs, which has the LEDs and photodiodes.')

const SECTION = 'od_reading.config'

const RelativeIntensity = Type.Object({ relative_intensity_of_ir_led: Type.Number(), timestamp: Timestamp })

/** What is published of each photodiode. */
const odOf = (channel: PdChannel) =>
  ({
    schema: ODReading,
    published: true,
    when: 'while the photodiode has an angle',
    valuePath: 'od',
    doc: `Photodiode ${channel}: calibrated if it can be, else raw.`,
  }) as const
const rawOdOf = (channel: PdChannel) =>
  ({
    schema: RawODReading,
    published: true,
    when: 'while the photodiode is calibrated',
    valuePath: 'od',
    doc: `Raw reading behind a calibrated one of photodiode ${channel}.`,
  }) as const
const calibratedOdOf = (channel: PdChannel) =>
  ({ ...rawOdOf(channel), schema: CalibratedODReading, doc: `Calibrated reading of photodiode ${channel}.` }) as const

/** Source of names, ranges and defaults: Pioreactor 26.7 `od_reading`. */
export const odReading = defineJob({
  name: 'od_reading',
  help: 'Read optical density with the photodiodes.',
  parameters: {
    first_od_obs_time: {
      schema: Type.Number(),
      doc: 'Unix time in s from which readings repeat.',
      published: true,
    },
    reading_duration: {
      schema: Type.Number({ exclusiveMinimum: 0 }),
      unit: 's',
      doc: 'From the beginning of a reading until the IR LED is off again: the longest of the last five, in steps of 0.1 s. Jobs that keep out of the way of readings follow it.',
      published: true,
      unlisted: true,
      when: 'from the first reading on, unless it is a snapshot',
    },
    warm_up: {
      schema: Type.Number({ minimum: 0, maximum: 1 }),
      doc: 'How far readings at this intensity have come from resting on the first one, whose share in the level of the reference fades: 0 to 1.',
      published: true,
      unlisted: true,
      when: 'unless it is a snapshot',
    },
    ir_led_intensity: {
      schema: Type.Number({ minimum: 0, maximum: 100 }),
      unit: '%',
      step: 1,
      label: 'IR LED intensity',
      doc: 'Intensity of the IR LED while reading; auto suits it to the light of one signal and one reference.',
      option: true,
      settable: true,
      keywords: ['auto'],
      config: [SECTION, 'ir_led_intensity'],
      default: 80,
    },
    interval: {
      schema: Type.Number({ exclusiveMinimum: 0 }),
      unit: 's',
      step: 1,
      doc: 'Time between readings; by default as samples_per_second of the configuration says.',
      option: true,
      settable: true,
      when: 'unless it is a snapshot',
    },
    samples_per_second: {
      schema: Type.Number({ exclusiveMinimum: 0 }),
      unit: 'readings per s',
      doc: 'How often to read, where no interval is given.',
      config: [SECTION, 'samples_per_second'],
      default: 0.2,
    },
    fake_data: {
      schema: Type.Boolean(),
      doc: 'Not taken: readings are made up only where the whole hardware is, with HARDWARE=simulated.',
      option: true,
      default: false,
    },
    snapshot: { schema: Type.Boolean(), doc: 'One reading, then the job ends.', option: true, default: false },
    relative_intensity_of_ir_led: {
      schema: RelativeIntensity,
      doc: 'Light the IR LED gives; one reading in five.',
      published: true,
      valuePath: 'relative_intensity_of_ir_led',
    },
    ods: { schema: ODReadings, doc: 'All signal channels of one reading.', published: true },
    ...perChannel('od', PD_CHANNELS, odOf),
    ...perChannel('raw_od', PD_CHANNELS, rawOdOf),
    ...perChannel('calibrated_od', PD_CHANNELS, calibratedOdOf),
    od_fused: {
      schema: ODFused,
      doc: 'Several angles combined by an estimator.',
      published: true,
      when: 'while an estimator is active',
      valuePath: 'od_fused',
    },
    pd_reference_ema: {
      schema: Type.Number({ minimum: 0, maximum: 1 }),
      doc: 'Weight of the past in the level of the reference photodiode.',
      config: [SECTION, 'pd_reference_ema'],
      default: 0.75,
    },
    ref_normalization: {
      schema: choice(['unity', 'classic']),
      doc: 'unity: light relative to the first of the experiment; classic: in volts.',
      config: [SECTION, 'ref_normalization'],
      default: 'unity',
    },
    local_ac_hz: {
      schema: Type.Number({ exclusiveMinimum: 0 }),
      unit: 'Hz',
      doc: 'Frequency of the mains, whose light is taken out of the readings; found by itself where it is not configured.',
      config: [SECTION, 'local_ac_hz'],
    },
    smoothing_penalizer: {
      schema: Type.Number({ minimum: 0 }),
      doc: 'How strongly a reading is pulled towards the last one; divided by the interval.',
      config: [SECTION, 'smoothing_penalizer'],
      default: 3,
    },
    turn_off_leds_during_reading: {
      schema: Type.Boolean(),
      doc: 'Other LEDs are dark during a reading.',
      config: [SECTION, 'turn_off_leds_during_reading'],
      default: true,
    },
    led_settle_s: {
      schema: Type.Number({ minimum: 0 }),
      unit: 's',
      doc: 'From switching LEDs to sampling.',
      config: [SECTION, 'duration_between_led_off_and_od_reading'],
      default: 0.125,
    },
    use_dark_offsets: {
      schema: Type.Boolean(),
      doc: 'Subtract what the photodiodes show in the dark.',
      config: [SECTION, 'use_dark_offsets'],
      default: true,
    },
  },
})
export type OdReadingSettings = SettingsOf<typeof odReading>
type OdReadingParameters = ParametersOf<typeof odReading>

export interface OdReadingDeps {
  readonly bioreactor: Bioreactor
  readonly leds: LedBoard
  readonly calibrations: Calibrations
  readonly estimators: Estimators
  readonly store: ExperimentStore
  /** Uniform in [0, 1). */
  readonly random: () => number
}

export const createOdReadingJob = (deps: OdReadingDeps): Job =>
  createJob(odReading, (job, params) => startOdReading(job, params, deps))

async function startOdReading(
  job: JobContext<OdReadingSettings>,
  params: OdReadingParameters,
  { bioreactor, leds, random, ...sources }: OdReadingDeps,
): Promise<OdSeries> {
  if (params.fake_data) {
    throw new InvalidInput(
      'fake_data is true; readings are not made up here: start the unit with HARDWARE=simulated.',
      {
        details: { field: 'fake_data', value: true },
      },
    )
  }
  if (job.peers.find('self_test') !== undefined) {
    throw new SelfTestRuns('self_test runs.', { remediation: 'Wait until it has ended.' })
  }
  const { config, clock, experiment } = job
  const { store } = sources
  const photodiodes = readPhotodiodes(config)
  const irChannel = readIrChannel(config)
  const corrections = await readCorrections(photodiodes, experiment, sources)
  const intervalS = params.snapshot ? null : (params.interval ?? 1 / params.samples_per_second)
  if (!(await bioreactor.isHatPresent())) {
    throw new PartMissing('The HAT does not answer.', { remediation: 'Attach the HAT.' })
  }

  const sampler = new PhotodiodeSampler({
    clock,
    inputs: await openPhotodiodes(bioreactor, photodiodes),
    mainsHz: params.local_ac_hz ?? null,
    useDarkOffsets: params.use_dark_offsets,
    onNearLimit: (channel, volts) => {
      job.log('warning', `Photodiode ${channel} is at ${volts.toFixed(2)} V, near its limit of 3.2 V; dim the IR LED.`)
      job.emit(errorCodeEvent, TOO_BRIGHT)
    },
    onUnsolvable: (channel) =>
      job.log('error', `Mains light on photodiode ${channel} could not be fitted; using the mean.`),
  })
  const reference =
    photodiodes.reference === null
      ? null
      : new IrReference({
          experiment,
          store,
          normalization: params.ref_normalization,
          alpha: params.pd_reference_ema,
        })
  const reader = new OdReader({
    job,
    leds,
    sampler,
    photodiodes,
    reference,
    irChannel,
    othersOff: params.turn_off_leds_during_reading,
    settleS: params.led_settle_s,
    blank: corrections.blank,
  })
  const series = new OdSeries({
    job,
    reader,
    leds,
    scale: new OdScale(job, corrections.calibrations, corrections.estimator),
    random,
    intervalS,
    smoothing: params.smoothing_penalizer,
  })
  job.atEnd(() => series.end())
  const intensity = await series.guarded(() => reader.prepare(params.ir_led_intensity, job.ending))
  series.setIntensity(intensity)
  if (intervalS !== null) job.publish('interval', intervalS)
  return series
}
