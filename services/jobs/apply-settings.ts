import { encodeValue } from '../../events/core/values.js'
import type { Activity } from './job.js'
import { settingUnavailable } from './job-errors.js'
import type { JobPublisher } from './job-publisher.js'

/** Gives an activity new values, one after the other. @param values valid by their schemas
 * @throws LabError before anything moved, when one of them is refused; else when the hardware did not follow */
export async function applySettings(
  jobName: string,
  activity: Activity,
  publisher: JobPublisher,
  values: ReadonlyMap<string, unknown>,
): Promise<void> {
  const changes = [...values].map(([setting, value]) => {
    const setter = activity.setters[setting]
    if (setter === undefined || !publisher.has(setting)) throw settingUnavailable(jobName, setting)
    setter.check?.(value)
    return { setting, value, setter }
  })
  for (const { setting, value, setter } of changes) {
    const before = publisher.value(setting)
    await setter.apply(value)
    publisher.log('info', `Updated ${setting} from ${show(before)} to ${show(publisher.value(setting))}.`)
  }
}

const show = (value: unknown): string => (value === undefined ? 'nothing' : encodeValue(value).slice(0, 40))
