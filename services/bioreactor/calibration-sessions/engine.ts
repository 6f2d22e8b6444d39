import {
  type CalibrationProtocol,
  type CalibrationSession,
  ProtocolUnknown,
  type SessionStep,
} from '../../../events/bioreactor/calibration-sessions.js'
import { timestampOf } from '../../../events/core/timestamp.js'
import type { UnitConfig } from '../../unit-admin/config/unit-config.js'
import type { Executor } from './executor-port.js'
import { readInputs } from './fields.js'
import type { At, Protocol, UnitFacts } from './protocol.js'

/** The state machine of guided calibrations. It knows no clock and no hardware: time comes with the unit's facts, and what is to be
 * done goes to the executor. Source: Pioreactor 26.7 calibration sessions. */

const COMPLETE = 'complete'
const ENDED = 'ended'

/** What a unit offers, in the order of listings. */
export function protocolsOf(protocols: readonly Protocol[], config: UnitConfig): readonly CalibrationProtocol[] {
  const offered = protocols.flatMap((protocol) => protocol.devices(config).map((device) => described(protocol, device)))
  const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0)
  return offered.sort(
    (one, other) =>
      compare(one.target_device, other.target_device) ||
      one.priority - other.priority ||
      compare(one.title, other.title),
  )
}

function described(
  { name, priority, title, description, requirements }: Protocol,
  device: string,
): CalibrationProtocol {
  const named = (text: string): string => text.replaceAll('{device}', device.replaceAll('_', ' '))
  return {
    id: `${device}_${name}`,
    target_device: device,
    protocol_name: name,
    priority,
    title: named(title),
    description: named(description),
    requirements: requirements.map(named),
  }
}

/** @throws ProtocolUnknown */
export function findProtocol(
  protocols: readonly Protocol[],
  name: string,
  device: string,
  config: UnitConfig,
): Protocol {
  const found = protocols.find((protocol) => protocol.name === name && protocol.devices(config).includes(device))
  if (found !== undefined) return found
  const offered = protocolsOf(protocols, config).map((one) => `${one.protocol_name} of ${one.target_device}`)
  throw new ProtocolUnknown(
    `There is no protocol '${name}' for '${device}'; there are ${offered.join(', ') || 'none'}.`,
    {
      details: { field: 'protocol_name', value: name },
    },
  )
}

/** A session at its first step. @throws LabError when the protocol cannot begin now */
export async function startSession(
  protocol: Protocol,
  device: string,
  sessionId: string,
  unit: UnitFacts,
  executor: Executor,
): Promise<CalibrationSession> {
  const at = timestampOf(unit.now)
  return {
    session_id: sessionId,
    protocol_name: protocol.name,
    target_device: device,
    status: 'in_progress',
    step_id: protocol.first,
    data: await protocol.begin(unit, device, executor),
    created_at: at,
    updated_at: at,
    result: null,
    error: null,
  }
}

/** Answers the present step. A session that is over stays as it is.
 * @throws SessionRefused for inputs that are not as asked for; LabError of what the step ordered. The session has not changed then. */
export async function advanceSession(
  protocol: Protocol,
  session: CalibrationSession,
  given: Readonly<Record<string, unknown>>,
  unit: UnitFacts,
  executor: Executor,
): Promise<CalibrationSession> {
  if (session.status !== 'in_progress') return session
  const at = standing(session, unit)
  const step = stepOf(protocol, session.step_id)
  const inputs = readInputs(step.show(at).fields ?? [], given)
  const move = await step.next(at, inputs, executor)
  const moved = { ...session, updated_at: timestampOf(unit.now) }
  if ('failed' in move) return { ...moved, status: 'failed', error: move.failed, step_id: ENDED }
  if ('complete' in move) {
    return { ...moved, status: 'complete', result: { ...move.complete }, step_id: COMPLETE }
  }
  stepOf(protocol, move.to)
  return { ...moved, step_id: move.to, data: move.data === undefined ? session.data : { ...(move.data as object) } }
}

/** Ends a session that is under way. @param reason what its user is told */
export const abortSession = (session: CalibrationSession, reason: string, now: Date): CalibrationSession =>
  session.status === 'in_progress'
    ? { ...session, status: 'aborted', error: reason, step_id: ENDED, updated_at: timestampOf(now) }
    : session

/** What a session shows now. */
export function showSession(protocol: Protocol, session: CalibrationSession, unit: UnitFacts): SessionStep {
  const { status, step_id } = session
  if (status !== 'in_progress') return showEnd(session)
  return whole(step_id, stepOf(protocol, step_id).show(standing(session, unit)))
}

/** What a session shows that is over, whatever its protocol. */
export function showEnd({ status, result, error }: CalibrationSession): SessionStep {
  if (status === 'complete') {
    const { title } = result ?? {}
    const shown = typeof title === 'string' ? title : 'Calibration complete'
    return whole(COMPLETE, { type: 'result', title: shown, body: '', metadata: { result } })
  }
  const title = status === 'failed' ? 'Calibration failed' : 'Calibration aborted'
  return whole(ENDED, { type: 'info', title, body: error ?? '' })
}

const standing = (session: CalibrationSession, unit: UnitFacts): At<unknown> => ({
  ...unit,
  sessionId: session.session_id,
  device: session.target_device,
  data: session.data,
})

function stepOf({ name, steps }: Protocol, id: string) {
  const step = Object.hasOwn(steps, id) ? steps[id] : undefined
  if (step === undefined) throw new Error(`Protocol '${name}' has no step '${id}'.`)
  return step
}

type ShownStep = ReturnType<ReturnType<typeof stepOf>['show']>

const whole = (step_id: string, { type, title, body, fields = [], metadata = {} }: ShownStep): SessionStep => ({
  step_id,
  step_type: type,
  title,
  body,
  fields: [...fields],
  metadata: { ...metadata },
})
