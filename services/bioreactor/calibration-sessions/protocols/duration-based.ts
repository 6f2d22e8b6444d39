import { type Static, Type } from '@sinclair/typebox'
import { SessionRefused } from '../../../../events/bioreactor/calibration-sessions.js'
import { pumpTestSeconds } from '../../control/calibration-runs.js'
import { fitThroughOrigin } from '../../control/curve-fit/polynomial.js'
import { correlation } from '../../control/statistics.js'
import type { Executor, PumpRun } from '../executor-port.js'
import { fields } from '../fields.js'
import { type At, defineProtocol, type Move, type ProtocolStep } from '../protocol.js'
import { button, chart, dateOf, naming, page, task } from './steps.js'

/** Volume of a pump against the time it runs. Source: Pioreactor 26.7 `duration_based`. */

const TRACER_S = 1
const LEAST_ML = 0.0001
/** No step lasts longer, so no pump runs longer in one, s. */
const MAX_RUN_S = 280
/** A line as unsure as this, mL/s, is worth a word. */
const UNSURE_ML_PER_S = 0.04

const Data = Type.Object({
  name: Type.String(),
  mls_to_calibrate_for: Type.Array(Type.Number()),
  hz: Type.Number(),
  dc: Type.Number(),
  tracer_duration_s: Type.Number(),
  durations_to_test: Type.Array(Type.Number()),
  results: Type.Array(Type.Number()),
})
type Data = Static<typeof Data>
type Step = ProtocolStep<Data>

const pumpOf = (device: string): string => device.replaceAll('_', ' ')
const runOf = ({ device, data: { hz, dc } }: At<Data>, seconds: number): PumpRun => ({ device, seconds, hz, dc })

const measured = ({ durations_to_test, results }: Data) =>
  chart('Volumes so far', 'Duration (s)', 'Volume (mL)', [
    { id: 'volumes', label: 'Measured', x: durations_to_test, y: results },
  ])

const volume = (body: (at: At<Data>) => string, next: Step['next']): Step => ({
  show: (at) => ({
    type: 'form',
    title: 'Enter the volume',
    body: body(at),
    fields: [fields.number('volume_ml', 'Volume in mL', { minimum: LEAST_ML })],
    metadata: measured(at.data),
  }),
  next,
})

const volumeTargets: Step = {
  show: ({ data }) => ({
    type: 'form',
    title: 'Volumes to be sure of',
    body: 'Which volumes will this pump be asked for, in mL? The calibration is made around them.',
    fields: [
      fields.numbers('mls_to_calibrate_for', 'Volumes in mL', {
        default: data.mls_to_calibrate_for,
        minimum: LEAST_ML,
        help: 'Numbers with commas between them.',
      }),
    ],
  }),
  next: ({ data }, inputs) => ({
    to: 'pwm_settings',
    data: { ...data, mls_to_calibrate_for: [...inputs.numbers('mls_to_calibrate_for')] },
  }),
}

const pwmSettings: Step = {
  show: ({ data }) => ({
    type: 'form',
    title: 'How the pump is driven',
    body: 'The calibration holds for this frequency and duty cycle alone.',
    fields: [
      fields.number('hz', 'Frequency in Hz', { default: data.hz, minimum: 0.1, maximum: 10_000 }),
      // At 0 % no pump turns.
      fields.number('dc', 'Duty cycle in %', { default: data.dc, minimum: 0.1, maximum: 100 }),
    ],
  }),
  next: ({ data }, inputs) => ({
    to: 'tubing_into_water',
    data: { ...data, hz: inputs.number('hz'), dc: inputs.number('dc') },
  }),
}

const prime: Step = {
  show: () => ({
    type: 'form',
    title: 'Fill the tubes',
    body: 'The pump runs for this long, so that no air is left in its tubes. Hold the outlet over a vessel.',
    fields: [fields.number('prime_duration_s', 'Seconds', { default: 15, minimum: 5, maximum: MAX_RUN_S })],
  }),
  async next(at, inputs, executor) {
    await executor.pump(runOf(at, inputs.number('prime_duration_s')))
    return { to: 'tracer_run' }
  },
}

const tracerRun: Step = {
  show: ({ data }) => ({
    type: 'action',
    title: 'A short run',
    body: `Empty the measuring glass and hold the outlet over it. The pump will run for ${data.tracer_duration_s} s.`,
  }),
  async next(at, _, executor) {
    await executor.pump(runOf(at, at.data.tracer_duration_s))
    return { to: 'tracer_volume' }
  },
}

const tracerVolume = volume(
  ({ data }) => `How much came out in ${data.tracer_duration_s} s, in mL?`,
  ({ data }, inputs) => {
    const seconds = pumpTestSeconds(data.mls_to_calibrate_for, {
      seconds: data.tracer_duration_s,
      ml: inputs.number('volume_ml'),
    })
    const longest = Math.max(...seconds)
    if (longest > MAX_RUN_S) {
      throw new SessionRefused(
        `volume_ml is ${inputs.number('volume_ml')} mL; at that rate the longest test would take ${longest.toFixed(0)} s, and it may take ${MAX_RUN_S} s.`,
        {
          remediation: 'Measure the short run again, or calibrate for smaller volumes.',
          details: { field: 'volume_ml' },
        },
      )
    }
    return { to: 'test_run', data: { ...data, durations_to_test: [...seconds], results: [] } }
  },
)

const testRun: Step = {
  show: ({ data }) => {
    const { results, durations_to_test: durations } = data
    return {
      type: 'action',
      title: `Test ${results.length + 1} of ${durations.length}`,
      body: `Empty the measuring glass and hold the outlet over it. The pump will run for ${(durations[results.length] ?? 0).toFixed(2)} s.`,
      metadata: {
        ...measured(data),
        ...(results.length > 0 ? button('Repeat the last test', { action: 'redo_last' }) : {}),
      },
    }
  },
  async next(at, inputs, executor) {
    const { data } = at
    const results = inputs.action === 'redo_last' ? data.results.slice(0, -1) : data.results
    await executor.pump(runOf(at, data.durations_to_test[results.length] ?? 0))
    return { to: 'test_volume', data: { ...data, results } }
  },
}

const testVolume = volume(
  ({ data }) => `How much came out in ${(data.durations_to_test[data.results.length] ?? 0).toFixed(2)} s, in mL?`,
  async (at, inputs, executor): Promise<Move<Data>> => {
    const data = { ...at.data, results: [...at.data.results, inputs.number('volume_ml')] }
    if (data.results.length < data.durations_to_test.length) return { to: 'test_run', data }
    return { complete: await store(at.device, data, executor) }
  },
)

async function store(device: string, data: Data, executor: Executor) {
  const { durations_to_test: x, results: y, hz, dc, name } = data
  const { slope, standardError } = fitThroughOrigin({ x, y })
  const calibration = {
    calibration_type: 'simple_peristaltic_pump',
    calibration_name: name,
    curve_data_: { type: 'poly' as const, coefficients: [slope, 0] },
    x: 'Duration',
    y: 'Volume',
    recorded_data: { x, y },
    hz,
    dc,
    voltage: await executor.railVolts(),
  }
  const { path } = await executor.saveCalibration(device, calibration)
  const warnings = [
    ...(correlation(x, y) < 0 ? ['The volumes fall with the time: were they entered in their order?'] : []),
    ...(standardError > UNSURE_ML_PER_S ? ['The volumes scatter much; calibrate again before relying on it.'] : []),
  ]
  return {
    title: 'Pump calibrated',
    calibration,
    calibration_link: { device, calibration_name: name, path },
    stats: { slope, bias: 0, std_slope: standardError, std_bias: 0 },
    recommended_volume_range_ml: [slope * Math.min(...x), slope * Math.max(...x)],
    warnings,
  }
}

export const durationBased = defineProtocol({
  name: 'duration_based',
  title: 'Duration-based pump calibration',
  description: 'Finds how much the {device} moves in how many seconds.',
  requirements: [
    'A peristaltic pump wired to the channel of the {device}',
    'A vial or beaker of clean water',
    'A measuring cylinder, or a scale',
  ],
  devices: () => ['media_pump', 'alt_media_pump', 'waste_pump'],
  data: Data,
  first: 'intro_confirm_1',
  begin({ config }, device) {
    const label = device.replace(/_pump$/, '')
    if (config.channelOf('PWM', label) === undefined) {
      throw new SessionRefused(`No PWM channel is labelled ${label}; label one in section [PWM] first.`)
    }
    return {
      name: '',
      mls_to_calibrate_for: [1],
      hz: 250,
      dc: 100,
      tracer_duration_s: TRACER_S,
      durations_to_test: [],
      results: [],
    }
  },
  steps: {
    intro_confirm_1: {
      show: ({ device }) => ({
        type: 'info',
        title: 'Pump calibration',
        body: `The ${pumpOf(device)} will run for different times, and you measure what came out each time.`,
      }),
      next: () => ({ to: 'intro_confirm_2' }),
    },
    intro_confirm_2: page<Data>(
      {
        title: 'Keep the vial out of it',
        body: 'No culture takes part: take the tubes of this pump out of the vial, and use clean water.',
      },
      'intro_confirm_3',
    ),
    intro_confirm_3: page<Data>(
      {
        title: 'Measuring',
        body: 'A scale is surer than a cylinder: 1 g of water is 1 mL. Have paper towels within reach.',
      },
      'name_input',
    ),
    ...naming<Data>({
      ids: ['name_input', 'name_overwrite_confirm'],
      field: 'calibration_name',
      kind: 'calibrations',
      standard: ({ device, now }) => `${device}-${dateOf(now)}`,
      devices: ({ device }) => [device],
      next: () => 'volume_targets',
    }),
    volume_targets: volumeTargets,
    pwm_settings: pwmSettings,
    tubing_into_water: task<Data>(
      () => ({ title: 'Tube into the water', body: 'Put the inlet of the pump into the water, down to the ground.' }),
      'prime_pump_duration',
    ),
    prime_pump_duration: prime,
    tracer_run: tracerRun,
    tracer_volume: tracerVolume,
    test_run: testRun,
    test_volume: testVolume,
  },
})
