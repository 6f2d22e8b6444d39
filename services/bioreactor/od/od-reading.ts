import { Type } from '@sinclair/typebox'
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
import type { ExperimentStore } from '../experiment-store.js'
import { readCorrections, readPhotodiodes } from './od-optics.js'
import { OdScale } from './od-scale.js'
import { OdSeries } from './od-series.js'
import { openOdReader } from './open-od-reader.js'

const OpticsBusy = defineError(
  'od.self_test_runs',
  'state',
  '`self_test`, or the measurement of a standard, has the LEDs and photodiodes.',
)
/** They light and look by themselves. */
const OPTICS_JOBS = ['self_test', 'od_calibration']

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
  const busy = OPTICS_JOBS.find((name) => job.peers.find(name) !== undefined)
  if (busy !== undefined) throw new OpticsBusy(`${busy} runs.`, { remediation: 'Wait until it has ended.' })
  const { config, experiment } = job
  const photodiodes = readPhotodiodes(config)
  const corrections = await readCorrections(photodiodes, experiment, sources)
  const intervalS = params.snapshot ? null : (params.interval ?? 1 / params.samples_per_second)
  const { store } = sources
  const { blank } = corrections
  const reader = await openOdReader(job, params, { bioreactor, leds, store, photodiodes, experiment, blank })
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
