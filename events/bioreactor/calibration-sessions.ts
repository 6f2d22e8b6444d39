import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { type CommandDefinition, defineCommand } from '../core/define-command.js'
import { defineEvent } from '../core/define-event.js'
import { defineError } from '../core/errors.js'
import { Timestamp } from '../core/timestamp.js'
import { choice } from '../core/values.js'

const nullable = <S extends TSchema>(schema: S) => Type.Union([schema, Type.Null()])

export const FIELD_TYPES = ['string', 'float', 'int', 'bool', 'float_list', 'choice'] as const

/** One thing a form asks for. Every key is always there, as clients expect. */
export const SessionField = Type.Object({
  name: Type.String(),
  label: Type.String(),
  field_type: choice(FIELD_TYPES),
  required: Type.Boolean(),
  /** What is taken when nothing is given. */
  default: Type.Unknown(),
  options: nullable(Type.Array(Type.String())),
  minimum: nullable(Type.Number()),
  maximum: nullable(Type.Number()),
  min_error_msg: nullable(Type.String()),
  max_error_msg: nullable(Type.String()),
  help_text: nullable(Type.String()),
})
export type SessionField = Static<typeof SessionField>

/** What a guided calibration shows and asks for now. */
export const SessionStep = Type.Object({
  step_id: Type.String(),
  step_type: choice(['info', 'confirm', 'form', 'action', 'result']),
  title: nullable(Type.String()),
  body: nullable(Type.String()),
  fields: Type.Array(SessionField),
  /** `chart`: points measured so far; `actions`: buttons that send given inputs; `result`: what came of it. */
  metadata: Type.Record(Type.String(), Type.Unknown()),
})
export type SessionStep = Static<typeof SessionStep>

/** A guided calibration: where it stands, and what has been measured so far. */
export const CalibrationSession = Type.Object({
  session_id: Type.String(),
  protocol_name: Type.String(),
  target_device: Type.String(),
  status: choice(['in_progress', 'complete', 'failed', 'aborted']),
  step_id: Type.String(),
  data: Type.Record(Type.String(), Type.Unknown()),
  created_at: Timestamp,
  updated_at: Timestamp,
  result: nullable(Type.Record(Type.String(), Type.Unknown())),
  error: nullable(Type.String()),
})
export type CalibrationSession = Static<typeof CalibrationSession>

/** A session with the step it is at. */
export const SessionView = Type.Object({ session: CalibrationSession, step: SessionStep })
export type SessionView = Static<typeof SessionView>

export const calibrationSessionEvent = defineEvent({
  pattern: 'system/<unit>/calibration_sessions/<session_id>',
  retained: true,
  payload: SessionView,
  doc: 'A guided calibration, republished whole at every step; cleared some time after it is over.',
})

/** A way to calibrate a device of this unit step by step. */
export const CalibrationProtocol = Type.Object({
  id: Type.String(),
  target_device: Type.String(),
  protocol_name: Type.String(),
  priority: Type.Integer(),
  title: Type.String(),
  description: Type.String(),
  requirements: Type.Array(Type.String()),
})
export type CalibrationProtocol = Static<typeof CalibrationProtocol>

export const calibrationProtocolsEvent = defineEvent({
  pattern: 'system/<unit>/capabilities/calibration_protocols',
  retained: true,
  payload: Type.Array(CalibrationProtocol),
  doc: 'Guided calibrations on offer, by device, priority and title.',
})

const SessionId = Type.String({ minLength: 1, maxLength: 100 })

export const startCalibrationSessionCommand = defineCommand({
  name: 'start_calibration_session',
  payload: Type.Object({ target_device: Type.String(), protocol_name: Type.String() }),
  result: SessionView,
  doc: 'Begins a guided calibration of a device.',
})

export const advanceCalibrationSessionCommand = defineCommand({
  name: 'advance_calibration_session',
  payload: Type.Object({ session_id: SessionId, inputs: Type.Record(Type.String(), Type.Unknown(), { default: {} }) }),
  result: SessionView,
  doc: 'Answers the present step of a guided calibration; what the step measures is done when the outcome comes.',
})

export const abortCalibrationSessionCommand = defineCommand({
  name: 'abort_calibration_session',
  payload: Type.Object({ session_id: SessionId }),
  result: SessionView,
  doc: 'Ends a guided calibration without a result; whatever it has switched on goes off.',
})

/** Commands of guided calibrations. */
export const calibrationSessionCommands: readonly CommandDefinition[] = [
  startCalibrationSessionCommand,
  advanceCalibrationSessionCommand,
  abortCalibrationSessionCommand,
]

/** No step of a guided calibration may take longer, ms. Source: Pioreactor 26.7. */
export const STEP_TIMEOUT_MS = 300_000

export const ProtocolUnknown = defineError(
  'calibration_session.unknown_protocol',
  'input',
  'The unit offers no guided calibration of this name for this device.',
)
export const SessionUnknown = defineError(
  'calibration_session.unknown',
  'input',
  'The unit has no guided calibration of this id.',
)
export const SessionRefused = defineError(
  'calibration_session.refused',
  'input',
  'What a guided calibration was given, or the state of the unit, does not let its step go on; nothing has changed.',
)
export const SessionBusy = defineError(
  'calibration_session.busy',
  'state',
  'The guided calibration is carrying out its step; wait for it, or abort.',
)
