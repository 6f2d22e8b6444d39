import { type Static, Type } from '@sinclair/typebox'
import { SessionRefused } from '../../../../events/bioreactor/calibration-sessions.js'
import { evaluate } from '../../control/curve.js'
import { fitFusion } from '../../control/od/fit-fusion.js'
import { FUSED_OD } from '../../od/od-optics.js'
import { fields } from '../fields.js'
import { defineProtocol, type ProtocolStep } from '../protocol.js'
import { demandOptics, demandThreeAngles, FUSED_ANGLES, irIntensity } from './optics.js'
import { chart, dateOf, naming, page, stirringSpeed, task } from './steps.js'

/** An estimator of optical density from three angles, fitted to standards. Source: Pioreactor 26.7 `od_fusion_standards`. */

/** Readings of one standard. */
export const REPEATS = 4

const Data = Type.Object({
  name: Type.String(),
  rpm: Type.Number(),
  /** Entered and not yet measured; null between standards. */
  od_value: Type.Union([Type.Number(), Type.Null()]),
  records: Type.Array(Type.Object({ angle: Type.String(), concentration: Type.Number(), reading: Type.Number() })),
})
type Data = Static<typeof Data>
type Step = ProtocolStep<Data>

const measured = ({ records }: Data) =>
  chart(
    'Standards so far',
    'lg OD600',
    'ln reading',
    FUSED_ANGLES.map((angle) => {
      const own = records.filter((record) => record.angle === angle && record.reading > 0)
      const x = own.map(({ concentration }) => Math.log10(concentration))
      return { id: angle, label: `${angle}°`, x, y: own.map(({ reading }) => Math.log(reading)) }
    }),
  )

const standardsIn = ({ records }: Data): number => new Set(records.map(({ concentration }) => concentration)).size

const measureStandard: Step = {
  show: () => ({
    type: 'form',
    title: 'Enter the standard',
    body: 'What is its OD600? A blank has no place here.',
    fields: [fields.number('od_value', 'OD600', { minimum: 0.0001 })],
  }),
  next: ({ data }, inputs) => ({ to: 'record_observation', data: { ...data, od_value: inputs.number('od_value') } }),
}

const recordObservation: Step = {
  show: ({ data }) => ({
    type: 'action',
    title: 'Measure it',
    body: `The standard of OD600 ${data.od_value} is measured at several speeds of the bar, which takes about half a minute.`,
    metadata: measured(data),
  }),
  async next({ data }, _, executor) {
    const { od_value: concentration, rpm } = data
    if (concentration === null) throw new SessionRefused('od_value is missing.', { details: { field: 'od_value' } })
    const samples = await executor.fusionObservation(rpm, REPEATS)
    const records = samples.flatMap((byAngle) =>
      Object.entries(byAngle).map(([angle, reading]) => ({ angle, concentration, reading })),
    )
    return { to: 'remove_observation', data: { ...data, od_value: null, records: [...data.records, ...records] } }
  },
}

const anotherStandard: Step = {
  show: ({ data }) => ({
    type: 'form',
    title: 'One more?',
    body: `${standardsIn(data)} standards measured; four are needed at least.`,
    fields: [fields.flag('another', 'Measure another standard', { default: true })],
    metadata: measured(data),
  }),
  async next({ device, data, config }, inputs, executor) {
    if (inputs.flag('another')) return { to: 'place_standard' }
    const fitted = fitFusion(data.records)
    const { path } = await executor.saveEstimator(device, {
      estimator_type: 'od_fused_estimator',
      estimator_name: data.name,
      ir_led_intensity: irIntensity(config),
      ...fitted,
      recorded_data: { by_angle: recordedByAngle(fitted) },
      y: 'log(Voltage)',
    })
    return { complete: { title: 'Estimator fitted', device, estimator_name: data.name, path } }
  },
}

/** What the curves go through: levels and means by angle. */
const recordedByAngle = ({ angles, mu_splines }: ReturnType<typeof fitFusion>) =>
  Object.fromEntries(
    angles.map((angle) => {
      const curve = mu_splines[angle]
      if (curve === undefined || curve.type === 'poly') return [angle, { x: [], y: [] }]
      return [angle, { x: curve.knots, y: curve.knots.map((knot) => evaluate(curve, knot)) }]
    }),
  )

export const fusionStandards = defineProtocol({
  name: 'od_fusion_standards',
  priority: 1,
  title: 'Fusion OD using standards',
  description: 'Fits a model that tells optical density from the photodiodes at 45°, 90° and 135° together.',
  requirements: [
    'An XR model with photodiodes at 45°, 90° and 135°',
    'At least four standards of known OD600',
    'Vials and stir bars',
  ],
  devices: () => [FUSED_OD],
  data: Data,
  first: 'intro',
  begin({ config, model }, _, executor) {
    demandThreeAngles(config, model)
    demandOptics(config, executor)
    return { name: '', rpm: 500, od_value: null, records: [] }
  },
  steps: {
    intro: page<Data>(
      {
        title: 'Fused optical density',
        body: 'You need at least four samples of known OD600, spread over the range of your experiments, each with a stir bar. Begin with the thinnest.',
      },
      'name',
    ),
    ...naming<Data>({
      ids: ['name', 'name_overwrite'],
      field: 'estimator_name',
      kind: 'estimators',
      standard: ({ now }) => `od-fused-estimator-${dateOf(now)}`,
      devices: ({ device }) => [device],
      next: () => 'rpm',
    }),
    rpm: stirringSpeed<Data>('place_standard'),
    place_standard: task<Data>(
      ({ data }) => ({
        title: `Standard ${standardsIn(data) + 1}`,
        body: 'Put the vial with the standard and its stir bar into the holder, and close it.',
        metadata: measured(data),
      }),
      'measure_standard',
    ),
    measure_standard: measureStandard,
    record_observation: recordObservation,
    remove_observation: task<Data>(
      { title: 'Take it out', body: 'Take the vial out of the holder.' },
      'another_standard',
    ),
    another_standard: anotherStandard,
  },
})
