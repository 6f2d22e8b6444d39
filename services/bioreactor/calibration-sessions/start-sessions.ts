import {
  abortCalibrationSessionCommand,
  advanceCalibrationSessionCommand,
  startCalibrationSessionCommand,
} from '../../../events/bioreactor/calibration-sessions.js'
import type { RetainedText } from '../../aftermath/retained.js'
import type { JobService } from '../../jobs/job-service.js'
import { type Answer, answer } from '../../runtime/answer.js'
import type { ServiceContext } from '../../runtime/service.js'
import { SessionExecutor, type SessionExecutorDeps } from './executor.js'
import { protocols } from './protocols/index.js'
import { Sessions } from './sessions.js'

export interface RunningSessions {
  /** The commands they are carried out by. */
  readonly commands: readonly Answer[]
  /** What they hold is let go; those under way go on in the next life. */
  stop(): Promise<void>
}

/** Guided calibrations on the hardware of a unit. */
export async function startSessions(
  context: Pick<ServiceContext, 'unit' | 'bus' | 'clock' | 'logger'>,
  past: readonly RetainedText[],
  deps: Pick<SessionExecutorDeps, 'board' | 'calibrations' | 'estimators'> & { readonly jobs: JobService },
): Promise<RunningSessions> {
  const { unit, bus, clock, logger } = context
  const { jobs, board } = deps
  const { model } = board.bioreactor
  const executorFor = (id: string): SessionExecutor => new SessionExecutor(id, { ...deps, unit, clock })
  const sessions = new Sessions({ unit, bus, clock, logger, jobs, model, protocols, executorFor }, past)
  await sessions.announce()
  return {
    commands: [
      answer(startCalibrationSessionCommand, ({ target_device, protocol_name }) =>
        sessions.start(target_device, protocol_name),
      ),
      answer(advanceCalibrationSessionCommand, ({ session_id, inputs }) => sessions.advance(session_id, inputs)),
      answer(abortCalibrationSessionCommand, ({ session_id }) => sessions.abort(session_id)),
    ],
    stop: () => sessions.stop(),
  }
}
