import { publishEvent } from '../../../bus/publish-event.js'
import { checkHardwareTask } from '../../../events/bioreactor/commands.js'
import { logEvent } from '../../../events/bioreactor/logs.js'
import { modelsEvent } from '../../../events/bioreactor/vessel.js'
import { timestampOf } from '../../../events/core/timestamp.js'
import type { LogLevel } from '../../jobs/job.js'
import type { Answer } from '../../runtime/answer.js'
import type { InstrumentContext } from '../../runtime/instrument.js'
import { createTaskLog } from '../../runtime/task-log.js'
import { checkHardware, checkModelFit, type ModelFit } from './check-hardware.js'
import { readModels } from './models.js'
import type { BioreactorOptions } from './open-bioreactor.js'

type Context = Omit<InstrumentContext, 'settings' | 'ports'>

/** Tells which vessels the unit knows, and checks its hardware for one of them when it is asked to.
 * @param hat the version that the HAT is to be taken for
 * @returns what carries the task out, and ends it, once the vessels are announced */
export async function offerHardwareCheck(context: Context, { hat }: Pick<BioreactorOptions, 'hat'>) {
  const { unit, bus, clock, hardware: given, dotPioreactor } = context
  const hardware = hat === undefined ? given : { ...given, hatVersion: hat }
  const { models } = await readModels(dotPioreactor)
  const names = models.map(({ model_name, model_version }) => ({ model_name, model_version }))
  await publishEvent(bus, modelsEvent, { unit }, { models: names, timestamp: timestampOf(clock.now()) })

  const tasks = createTaskLog(context)
  const log = (level: LogLevel, message: string): Promise<void> => {
    const task = 'check_hardware'
    const entry = { source: 'app', task, message, level: level.toUpperCase(), timestamp: timestampOf(clock.now()) }
    return publishEvent(bus, logEvent, { unit, experiment: '$experiment', source: 'app', level }, entry)
  }
  async function check(modelName: string, modelVersion: string): Promise<ModelFit> {
    const model = { modelName, modelVersion }
    const fit = await checkModelFit(hardware, dotPioreactor, model)
    const vessel = `${modelName}, v${modelVersion}`
    if (fit.status === 'ok') await log('notice', `The photodiodes' converters of ${vessel} answer.`)
    else await log(fit.status === 'skipped' ? 'debug' : 'warning', `${vessel}: ${fit.reason}`)
    if (fit.status === 'skipped') return fit
    // What else the unit should have is for its people: clients expect to be told of the converters alone.
    for (const { part, status, found, remediation = '' } of await checkHardware(
      hardware,
      { dotPioreactor, model, unitRuns: true },
      clock,
    )) {
      if (status !== 'ok') await log('warning', `${part}: ${found}. ${remediation}`.trim())
    }
    return fit
  }
  const answers: readonly Answer[] = [
    tasks.answer(
      checkHardwareTask,
      ({ model_name, model_version }) =>
        () =>
          check(model_name, model_version),
    ),
  ]
  return { answers, stop: () => tasks.stop() }
}
