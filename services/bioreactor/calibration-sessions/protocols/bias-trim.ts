import { type Static, Type } from '@sinclair/typebox'
import { SessionRefused } from '../../../../events/bioreactor/calibration-sessions.js'
import { toErrorRecord } from '../../../../events/core/errors.js'
import type { AnyEstimator, Executor } from '../executor-port.js'
import { fields } from '../fields.js'
import { defineProtocol, type ProtocolStep } from '../protocol.js'
import { chart, dateOf, page } from './steps.js'

/** One point of a thermometer of one's own corrects the estimator of the infrared one. Source: add-on `fir_temperature_bias_trim`. */

/** The device of the estimator. */
export const INFRARED = 'temperature_fir'

/** The thermostat is not led by the infrared thermometer, which may be wrong by a degree: it is its own temperature that must be there. */
const STABLE_C = 0.3
const STABLE_C_PER_MIN = 0.02
const MAX_STABILIZING_MS = 90 * 60_000
/** Points of the chart; a session is one message. */
const MAX_HISTORY = 500

const Point = Type.Object({ minutes: Type.Number(), temperature: Type.Number() })
const Data = Type.Object({
  base: Type.String(),
  target_temperature: Type.Number(),
  /** When heating began, ms UTC; null before. */
  since: Type.Union([Type.Number(), Type.Null()]),
  history: Type.Array(Point),
})
type Data = Static<typeof Data>
type Step = ProtocolStep<Data>

/** @throws SessionRefused without one in use */
async function baseOf(executor: Executor): Promise<AnyEstimator> {
  const base = await executor.activeEstimator(INFRARED)
  if (base !== null) return base
  throw new SessionRefused(`No estimator of ${INFRARED} is in use, so there is nothing to trim.`)
}

const measured = ({ history }: Data) =>
  chart('Temperature so far', 'Minutes', 'Temperature (°C)', [
    {
      id: 'temperature',
      label: 'Estimated',
      x: history.map(({ minutes }) => minutes),
      y: history.map(({ temperature }) => temperature),
    },
  ])

const target: Step = {
  show: ({ data, model }) => ({
    type: 'form',
    title: 'Target temperature',
    body: 'The bar turns and the heater holds this temperature until you have measured it. Put your thermometer into the liquid.',
    fields: [
      fields.number('target_temperature', 'Temperature in °C', {
        default: data.target_temperature,
        minimum: 0,
        maximum: model.max_temp_to_reduce_heating,
      }),
    ],
  }),
  async next({ data, now }, inputs, executor) {
    const target_temperature = inputs.number('target_temperature')
    try {
      await executor.holdTemperature(target_temperature)
    } catch (error) {
      return { failed: toErrorRecord(error).message }
    }
    return { to: 'stabilize', data: { ...data, target_temperature, since: now.getTime(), history: [] } }
  },
}

const stabilize: Step = {
  show: ({ data }) => ({
    type: 'action',
    title: 'Wait until it is steady',
    body: `Go on to look; it is steady at ${data.target_temperature} °C when it drifts by less than ${STABLE_C_PER_MIN} °C a minute. That takes half an hour or more.`,
    metadata: measured(data),
  }),
  async next({ data, now }, _, executor) {
    const since = data.since ?? now.getTime()
    if (now.getTime() - since > MAX_STABILIZING_MS) {
      return {
        failed: `The temperature was not steady at ${data.target_temperature} °C within ${MAX_STABILIZING_MS / 60_000} min.`,
      }
    }
    // After a restart nothing is held any more.
    await executor.holdTemperature(data.target_temperature)
    const { estimatedC, driftCPerMin, thermostatC } = await executor.heldTemperature()
    const isThere = thermostatC !== null && Math.abs(thermostatC - data.target_temperature) <= STABLE_C
    const steady = isThere && driftCPerMin !== null && Math.abs(driftCPerMin) <= STABLE_C_PER_MIN
    const point = { minutes: (now.getTime() - since) / 60_000, temperature: estimatedC }
    const history = [...data.history, point].slice(-MAX_HISTORY)
    return { to: steady ? 'probe' : 'stabilize', data: { ...data, since, history } }
  },
}

const probe: Step = {
  show: ({ data }) => ({
    type: 'form',
    title: 'What your thermometer shows',
    body: 'Read it in the liquid, while the bar turns.',
    fields: [fields.number('measured_temperature', 'Temperature in °C', { minimum: -10, maximum: 110 })],
    metadata: measured(data),
  }),
  async next({ device, data, now }, inputs, executor) {
    const base = await baseOf(executor)
    await executor.holdTemperature(data.target_temperature)
    const { estimatedC: estimated_temperature } = await executor.heldTemperature()
    const measured_temperature = inputs.number('measured_temperature')
    // The estimate contains the bias there was: what it is still wrong by comes on top.
    const user_bias_c = Number(base['user_bias_c'] ?? 0) + measured_temperature - estimated_temperature
    const estimator_name = `${base.estimator_name}-bias-trim-${dateOf(now)}`
    const { path } = await executor.saveEstimator(device, { ...base, estimator_name, user_bias_c })
    return {
      complete: {
        title: 'Temperature trimmed',
        device,
        base_estimator_name: base.estimator_name,
        estimator_name,
        saved_path: path,
        measured_temperature,
        estimated_temperature,
        user_bias_c,
      },
    }
  },
}

export const biasTrim = defineProtocol({
  name: 'fir_temperature_bias_trim',
  priority: 2,
  title: 'Infrared temperature bias trim',
  description: 'Corrects the temperature told by the infrared thermometer with one measurement of your own.',
  requirements: [
    'The infrared thermometer',
    'A thermometer that reaches into the vial',
    'A vial with liquid and a stir bar',
  ],
  devices: (config) => (config.has('temperature_fir.config') ? [INFRARED] : []),
  data: Data,
  first: 'intro',
  async begin(_, __, executor) {
    const { estimator_name } = await baseOf(executor)
    executor.demandIdle(['stirring', 'temperature_automation'])
    return { base: estimator_name, target_temperature: 37, since: null, history: [] }
  },
  steps: {
    intro: page<Data>(
      {
        title: 'Trim of the infrared thermometer',
        body: 'Put a vial with liquid and a stir bar into the holder, and your thermometer into the liquid.',
      },
      'target',
    ),
    target,
    stabilize,
    probe,
  },
})
