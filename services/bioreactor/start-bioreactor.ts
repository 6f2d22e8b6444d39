import { randomInt } from 'node:crypto'
import { publishEvent } from '../../bus/publish-event.js'
import { logEvent } from '../../events/bioreactor/logs.js'
import { listItems } from '../../events/core/setting.js'
import { timestampOf } from '../../events/core/timestamp.js'
import type { RetainedText } from '../aftermath/retained.js'
import { startJobService } from '../jobs/job-service.js'
import type { InstrumentContext } from '../runtime/instrument.js'
import type { Service, ServiceContext } from '../runtime/service.js'
import { boardOptions } from './board/board-settings.js'
import { offerHardwareCheck } from './board/hardware-service.js'
import { LedBoard } from './board/led-board.js'
import { openBioreactor } from './board/open-bioreactor.js'
import { startOutputWatchdog, type WatchdogReport } from './board/output-watchdog.js'
import { PwmBoard, type TellOutputs } from './board/pwm-board.js'
import { startSessions } from './calibration-sessions/start-sessions.js'
import { openStores } from './calibrations/artifact-service.js'
import { createExperimentFiles } from './experiment-store.js'
import { offerExperiments } from './experiments/experiment-service.js'
import { createBioreactorJobs } from './index.js'
import type { BioreactorSettings } from './instrument.js'
import { LiquidBook } from './liquids/liquid-book.js'
import { offerLiquids } from './liquids/liquid-service.js'

/** Uniform in [0, 1). */
const random = (): number => randomInt(2 ** 32) / 2 ** 32

/** Opens the board, watches its outputs and offers its jobs. */
export async function startBioreactor(
  context: InstrumentContext<BioreactorSettings>,
  past: readonly RetainedText[],
): Promise<Service> {
  const { hardware, dotPioreactor, clock, settings } = context
  const options = boardOptions(settings)
  const bioreactor = await openBioreactor(hardware, { dotPioreactor, ...options }, clock)
  const tell = teller(context)
  const pwm = new PwmBoard(bioreactor, clock, tell)
  const leds = new LedBoard(bioreactor.leds, clock, tell)
  const watchdog = startOutputWatchdog({ bioreactor, pwm, leds, report: reporter(context) })
  try {
    const book = new LiquidBook({ ...context, model: bioreactor.model })
    await book.start(past)
    const { answers, notice, calibrations, estimators } = await openStores(context, past)
    const stores = { calibrations, estimators }
    const store = createExperimentFiles(dotPioreactor)
    const jobs = createBioreactorJobs({ bioreactor, dotPioreactor, clock, random, pwm, leds, book, store, ...stores })
    const liquids = await offerLiquids(context, book, jobs)
    const check = await offerHardwareCheck(context, options)
    const service = await startJobService(context, past, jobs, listItems(settings.RESUME_JOBS))
    const board = { bioreactor, pwm, leds, store, book }
    const sessions = await startSessions(context, past, { jobs: service, board, ...stores })
    return {
      ...service,
      commands: [
        ...service.commands,
        ...sessions.commands,
        ...liquids.answers,
        ...offerExperiments(context, past),
        ...check.answers,
        ...answers,
      ],
      // What could not be recorded of the files is told then.
      resume: () => service.resume().finally(notice),
      // Last: until then there may be something to watch.
      stop: () =>
        sessions
          .stop()
          .finally(() => service.stop())
          .finally(() => check.stop())
          .finally(() => liquids.stop())
          .finally(() => watchdog.stop())
          .finally(() => book.stop()),
    }
  } catch (error) {
    await watchdog.stop()
    throw error
  }
}

/** Publishes outputs whose job is gone. */
const teller =
  ({ unit, bus, logger }: ServiceContext): TellOutputs =>
  (experiment, event, payload) => {
    bus
      .publish(event.topic({ unit, experiment }), event.encode(payload), { retain: event.retained })
      .catch((error: unknown) => logger.debug({ err: error }, 'outputs not published'))
  }

/** What the watchdog found stands in the log, whichever job it concerned, if any. */
function reporter({ unit, bus, clock, logger }: ServiceContext): (report: WatchdogReport) => void {
  return ({ kind, message }) => {
    logger.error({ kind, detail: message }, 'output watchdog')
    const level = kind === 'deaf' ? 'critical' : 'error'
    const log = {
      source: 'app',
      task: 'output_watchdog',
      message,
      level: level.toUpperCase(),
      timestamp: timestampOf(clock.now()),
    }
    publishEvent(bus, logEvent, { unit, experiment: '$experiment', source: log.source, level }, log).catch(
      (error: unknown) => logger.debug({ err: error }, 'report of the output watchdog not published'),
    )
  }
}
