import type { CalibrationSession, SessionStep } from '../../events/bioreactor/calibration-sessions.js'
import { builtInModels } from '../../services/bioreactor/board/hardware-tables.js'
import { findModel } from '../../services/bioreactor/board/models.js'
import { advanceSession, showSession, startSession } from '../../services/bioreactor/calibration-sessions/engine.js'
import type { AnyEstimator, Executor } from '../../services/bioreactor/calibration-sessions/executor-port.js'
import type { Protocol, UnitFacts } from '../../services/bioreactor/calibration-sessions/protocol.js'
import { UnitConfig } from '../../services/unit-admin/config/unit-config.js'

/** What a session ordered, in order: the name of the order and what went with it. */
export type Orders = (readonly [name: string, ...given: unknown[]])[]

/** An executor that does nothing and says what it was told to. */
export function scriptedExecutor(answers: Partial<Executor> = {}) {
  const orders: Orders = []
  const stored = new Map<string, AnyEstimator>()
  const order =
    <T>(name: string, answer: T) =>
    async (...given: unknown[]): Promise<T> => {
      orders.push([name, ...given])
      return answer
    }
  const executor: Executor = {
    demandIdle: () => undefined,
    pump: order('pump', undefined),
    railVolts: async () => 12.1,
    stirringRun: order('stirringRun', []),
    standard: order('standard', {}),
    fusionObservation: order('fusionObservation', []),
    holdTemperature: order('holdTemperature', undefined),
    heldTemperature: order('heldTemperature', { estimatedC: 37, driftCPerMin: 0, thermostatC: 37 }),
    names: async () => [],
    estimator: async (_, name) => stored.get(name) ?? Promise.reject(new Error(`No estimator ${name}.`)),
    activeEstimator: async () => null,
    saveCalibration: async (device, calibration) => {
      orders.push(['saveCalibration', device, calibration])
      return { device, path: `/${device}/${calibration.calibration_name}.yaml` }
    },
    saveEstimator: async (device, estimator) => {
      orders.push(['saveEstimator', device, estimator])
      stored.set(estimator.estimator_name, estimator)
      return { device, path: `/${device}/${estimator.estimator_name}.yaml` }
    },
    ...answers,
  }
  const saved = (): unknown[] => orders.flatMap(([name, , artifact]) => (name.startsWith('save') ? [artifact] : []))
  return { executor, orders, saved, stored }
}

const STOCK: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  PWM: { '1': 'stirring', '2': 'media', '3': 'alt_media', '4': 'waste' },
  'od_config.photodiode_channel': { '1': 'REF', '2': '90' },
}

export const configOf = (sections: Readonly<Record<string, Readonly<Record<string, string>>>> = {}): UnitConfig =>
  new UnitConfig(
    new Map(
      Object.entries({ ...STOCK, ...sections }).map(([name, options]) => [name, new Map(Object.entries(options))]),
    ),
  )

export const THREE_ANGLES = { 'od_config.photodiode_channel': { '1': 'REF', '2': '90', '3': '45', '4': '135' } }

export const factsOf = (more: Partial<UnitFacts> = {}): UnitFacts => ({
  unit: 'u1',
  config: configOf(),
  model: findModel(builtInModels, 'pioreactor_20ml', '1.1'),
  now: new Date('2026-03-04T05:06:07.891Z'),
  ...more,
})

/** A session of a protocol, answered step by step. It goes through JSON between steps, as one that outlives its process does. */
export async function walkSession(protocol: Protocol, device: string, executor: Executor, facts = factsOf()) {
  let session = await startSession(protocol, device, 'session-1', facts, executor)
  const show = (): SessionStep => showSession(protocol, session, facts)
  return {
    get session(): CalibrationSession {
      return session
    },
    get step(): SessionStep {
      return show()
    },
    /** @returns the step that follows */
    async answer(inputs: Readonly<Record<string, unknown>> = {}, now = facts.now): Promise<string> {
      session = await advanceSession(protocol, session, inputs, { ...facts, now }, executor)
      session = JSON.parse(JSON.stringify(session)) as CalibrationSession
      return show().step_id
    },
  }
}
