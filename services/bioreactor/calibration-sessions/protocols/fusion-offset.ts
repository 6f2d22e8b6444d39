import { type Static, Type } from '@sinclair/typebox'
import { SessionRefused } from '../../../../events/bioreactor/calibration-sessions.js'
import { ESTIMATOR_TYPES, type OdEstimator } from '../../../../events/bioreactor/estimators.js'
import { check } from '../../../../events/schema.js'
import { fuseOd } from '../../control/od/fused-od.js'
import { shiftBetween, shiftFusion } from '../../control/od/shift-fusion.js'
import { mean } from '../../control/statistics.js'
import { FUSED_OD } from '../../od/od-optics.js'
import type { Executor } from '../executor-port.js'
import { fields } from '../fields.js'
import { type At, defineProtocol, type ProtocolStep } from '../protocol.js'
import { REPEATS } from './fusion-standards.js'
import { demandOptics, demandThreeAngles, FUSED_ANGLES, irIntensity } from './optics.js'
import { configuredNumber, dateOf, naming, page, stirringSpeed, task } from './steps.js'

/** Fits an estimator to this unit with two standards. Source: Pioreactor 26.7 `od_fusion_offset`. */

const Standard = Type.Object({
  standard_od: Type.Number(),
  estimated_od: Type.Number(),
  estimated_ods: Type.Array(Type.Number()),
  observations: Type.Array(Type.Record(Type.String(), Type.Number())),
})

const Data = Type.Object({
  name: Type.String(),
  rpm: Type.Number(),
  source_unit: Type.String(),
  /** Names that may be chosen. */
  estimators: Type.Array(Type.String()),
  source_estimator_name: Type.String(),
  /** Entered and not yet measured; null between standards. */
  standard_od: Type.Union([Type.Number(), Type.Null()]),
  standards: Type.Array(Standard),
})
type Data = Static<typeof Data>
type Step = ProtocolStep<Data>

async function sourceOf({ data }: At<Data>, executor: Executor): Promise<OdEstimator> {
  const estimator = check(
    ESTIMATOR_TYPES.od_fused_estimator,
    await executor.estimator(FUSED_OD, data.source_estimator_name),
  )
  if ([...estimator.angles].sort().join() === [...FUSED_ANGLES].sort().join()) return estimator
  throw new SessionRefused(
    `Estimator '${estimator.estimator_name}' has the angles ${estimator.angles.join(', ')}; 45, 90 and 135 are needed.`,
    { details: { field: 'source_estimator_name' } },
  )
}

const selectWorker: Step = {
  show: ({ unit, data }) => ({
    type: 'form',
    title: 'Where the estimator is',
    body: 'An estimator of another unit has to be stored on this one first.',
    fields: [fields.choice('source_unit', 'Unit', { options: [unit], default: data.source_unit })],
  }),
  async next({ data }, inputs, executor) {
    const estimators = [...(await executor.names('estimators', FUSED_OD))].sort()
    return { to: 'select_estimator', data: { ...data, source_unit: inputs.text('source_unit'), estimators } }
  },
}

const selectEstimator: Step = {
  show: ({ data: { estimators, source_unit } }) =>
    estimators.length === 0
      ? {
          type: 'info',
          title: 'No estimator',
          body: `${source_unit} has no estimator of ${FUSED_OD}. Make one, or abort.`,
        }
      : {
          type: 'form',
          title: 'The estimator to begin with',
          body: 'It stays as it is; the new one is made from it.',
          fields: [fields.choice('source_estimator_name', 'Estimator', { options: estimators })],
        },
  async next(at, inputs, executor) {
    if (at.data.estimators.length === 0) return { to: 'select_worker' }
    const data = { ...at.data, source_estimator_name: inputs.text('source_estimator_name') }
    await sourceOf({ ...at, data }, executor)
    return { to: 'name', data }
  },
}

const standardOd: Step = {
  show: () => ({
    type: 'form',
    title: 'Enter the standard',
    body: 'What is its OD600?',
    fields: [fields.number('standard_od', 'OD600', { minimum: 1e-6 })],
  }),
  next: ({ data }, inputs) => ({
    to: 'record_observation',
    data: { ...data, standard_od: inputs.number('standard_od') },
  }),
}

const recordObservation: Step = {
  show: ({ data }) => ({
    type: 'action',
    title: 'Measure it',
    body: `The standard of OD600 ${data.standard_od} is measured at several speeds of the bar, which takes about half a minute.`,
  }),
  async next(at, _, executor) {
    const { standard_od, rpm, standards } = at.data
    if (standard_od === null) throw new SessionRefused('standard_od is missing.', { details: { field: 'standard_od' } })
    const source = await sourceOf(at, executor)
    const observations = await executor.fusionObservation(rpm, REPEATS)
    const estimated_ods = observations.map((byAngle) => {
      const od = fuseOd(source, byAngle)?.od ?? 0
      if (od > 0) return od
      throw new SessionRefused(`Estimator '${source.estimator_name}' makes nothing of what the photodiodes see.`)
    })
    const seen = {
      standard_od,
      estimated_od: mean(estimated_ods),
      estimated_ods,
      observations: observations.map((one) => ({ ...one })),
    }
    return { to: 'remove_standard', data: { ...at.data, standard_od: null, standards: [...standards, seen] } }
  },
}

const removeStandard: Step = {
  show: ({ data }) => ({
    type: 'action',
    title: 'Take it out',
    body: `Take the vial out of the holder. ${data.standards.length < 2 ? 'Another standard follows.' : 'It was the last one.'}`,
  }),
  async next(at, _, executor) {
    const { standards, name, source_unit, source_estimator_name } = at.data
    const [first, second] = standards
    if (first === undefined || second === undefined) return { to: 'place_standard' }
    const shift = shiftBetween(
      { standardOd: first.standard_od, estimatedOd: first.estimated_od },
      { standardOd: second.standard_od, estimatedOd: second.estimated_od },
    )
    if (shift === null) {
      // With other readings it may be possible: what was measured is measured again.
      return {
        failed: `Standards of OD600 ${first.standard_od} and ${second.standard_od} were seen as ${first.estimated_od.toPrecision(3)} and ${second.estimated_od.toPrecision(3)}; no shift of the estimator explains both.`,
      }
    }
    const source = await sourceOf(at, executor)
    const shifted = shiftFusion(source, shift)
    const [scale_logc, offset_logc] = [shift.scale, shift.offset]
    const { path } = await executor.saveEstimator(at.device, {
      ...shifted,
      estimator_name: name,
      ir_led_intensity: irIntensity(at.config),
      recorded_data: {
        transform: {
          type: 'logc_affine',
          scale_logc,
          offset_logc,
          source_unit,
          source_estimator_name,
          source_ir_led_intensity: source.ir_led_intensity,
        },
        standards,
        base_recorded_data: source.recorded_data,
      },
      y: 'log(Voltage)',
    })
    return {
      complete: {
        title: 'Estimator shifted',
        device: at.device,
        estimator_name: name,
        path,
        source_unit,
        source_estimator: source_estimator_name,
        scale_logc,
        offset_logc,
      },
    }
  },
}

export const fusionOffset = defineProtocol({
  name: 'od_fusion_offset',
  priority: 2,
  title: 'Fusion OD two-point offset',
  description: 'Shifts and stretches an estimator so that it sees two standards as they are.',
  requirements: [
    'An XR model with photodiodes at 45°, 90° and 135°',
    'An estimator of fused optical density',
    'Two standards of known OD600, with stir bars',
  ],
  devices: () => [FUSED_OD],
  data: Data,
  first: 'intro',
  begin(at, _, executor) {
    demandThreeAngles(at.config, at.model)
    demandOptics(at.config, executor)
    return {
      name: '',
      rpm: configuredNumber(at, 'stirring.config', 'initial_target_rpm', 500),
      source_unit: at.unit,
      estimators: [],
      source_estimator_name: '',
      standard_od: null,
      standards: [],
    }
  },
  steps: {
    intro: page<Data>(
      {
        title: 'Offset of fused optical density',
        body: 'An estimator is fitted to this unit with two samples of known OD600. Take them from both ends of the range of your experiments.',
      },
      'select_worker',
    ),
    select_worker: selectWorker,
    select_estimator: selectEstimator,
    ...naming<Data>({
      ids: ['name', 'name_overwrite'],
      field: 'estimator_name',
      kind: 'estimators',
      standard: ({ data, now }) => `${data.source_estimator_name}-offset-${dateOf(now)}`,
      devices: ({ device }) => [device],
      next: () => 'rpm',
    }),
    rpm: stirringSpeed<Data>('place_standard'),
    place_standard: task<Data>(
      ({ data }) => ({
        title: `Standard ${data.standards.length + 1} of 2`,
        body: 'Put the vial with the standard and its stir bar into the holder, and close it.',
      }),
      'standard_od',
    ),
    standard_od: standardOd,
    record_observation: recordObservation,
    remove_standard: removeStandard,
  },
})
