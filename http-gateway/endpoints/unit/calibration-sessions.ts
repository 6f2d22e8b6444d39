import { Type } from '@sinclair/typebox'
import {
  abortCalibrationSessionCommand,
  advanceCalibrationSessionCommand,
  CalibrationProtocol,
  ProtocolUnknown,
  SessionBusy,
  SessionRefused,
  SessionUnknown,
  SessionView,
  STEP_TIMEOUT_MS,
  startCalibrationSessionCommand,
} from '../../../events/bioreactor/calibration-sessions.js'
import { LogUnavailable, NoAnswer } from '../../../events/system/errors.js'
import { order } from '../../commands.js'
import { InvalidBody } from '../../conventions/unit/strict-body.js'
import { type Endpoint, endpoint } from '../../framework/endpoint.js'

const Session = Type.Object({ session_id: Type.String({ minLength: 1, maxLength: 100 }) })

/** A service may read the configuration and ask the board. */
const START_TIMEOUT_MS = 10_000
/** What a step measures takes its time; the service ends it before. */
const ADVANCE_TIMEOUT_MS = STEP_TIMEOUT_MS + 10_000

const calibrationProtocols = endpoint({
  method: 'get',
  path: '/unit_api/calibration_protocols',
  summary: 'Guided calibrations that this unit offers, by device, priority and title.',
  response: Type.Array(CalibrationProtocol),
  errors: [],
  maxAge: 10,
  handle: async (_, { readModels, unit }) => [...(await readModels.calibrationProtocols(unit))],
})

const startSession = endpoint({
  method: 'post',
  path: '/unit_api/calibrations/sessions',
  summary: 'Begins a guided calibration of a device.',
  body: Type.Object({ target_device: Type.String(), protocol_name: Type.String() }),
  example: { target_device: 'media_pump', protocol_name: 'duration_based' },
  response: SessionView,
  status: 201,
  needs: 'nothing',
  errors: [InvalidBody, ProtocolUnknown, SessionRefused, NoAnswer, LogUnavailable],
  handle: ({ body }, context) => order(context, startCalibrationSessionCommand, body, { timeoutMs: START_TIMEOUT_MS }),
})

const getSession = endpoint({
  method: 'get',
  path: '/unit_api/calibrations/sessions/:session_id',
  summary: 'A guided calibration and the step it is at.',
  params: Session,
  response: SessionView,
  errors: [SessionUnknown],
  async handle({ params: { session_id } }, { readModels }) {
    const view = await readModels.calibrationSession(session_id)
    if (view === null) throw new SessionUnknown(`There is no guided calibration '${session_id}'.`)
    return view
  },
})

const advanceSession = endpoint({
  method: 'post',
  path: '/unit_api/calibrations/sessions/:session_id/inputs',
  summary: 'Answers the step of a guided calibration; the answer comes when what the step measures is done.',
  params: Session,
  body: Type.Object({ inputs: Type.Record(Type.String(), Type.Unknown(), { default: {} }) }),
  example: { inputs: { volume_ml: 0.093 } },
  response: SessionView,
  needs: 'nothing',
  errors: [InvalidBody, SessionUnknown, SessionRefused, SessionBusy, NoAnswer, LogUnavailable],
  handle: ({ params: { session_id }, body: { inputs } }, context) =>
    order(context, advanceCalibrationSessionCommand, { session_id, inputs }, { timeoutMs: ADVANCE_TIMEOUT_MS }),
})

const abortSession = endpoint({
  method: 'post',
  path: '/unit_api/calibrations/sessions/:session_id/abort',
  summary: 'Ends a guided calibration without a result; whatever it has switched on goes off.',
  params: Session,
  response: SessionView,
  needs: 'nothing',
  errors: [SessionUnknown, NoAnswer, LogUnavailable],
  handle: ({ params: { session_id } }, context) =>
    order(context, abortCalibrationSessionCommand, { session_id }, { timeoutMs: START_TIMEOUT_MS }),
})

/** Before the calibrations themselves: `sessions` is no device. */
export const calibrationSessions: readonly Endpoint[] = [
  calibrationProtocols,
  startSession,
  getSession,
  advanceSession,
  abortSession,
]
