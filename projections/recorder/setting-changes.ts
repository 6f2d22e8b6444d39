import { rowsProjection } from '../engine/projection.js'
import { settingValue } from '../jobs/job-settings.js'
import { isScratch } from './scratch.js'

/** Every plain value that was published of a setting, in order, with the time it was recorded: set points, duty cycles, cumulative volumes, states. Null: from
 * then on there was none. Structures have tables of their own. Pioreactor keeps the last value only. */
export const settingChanges = rowsProjection({
  name: 'setting_changes',
  version: 1,
  on: ['pioreactor/+/+/+/+'],
  columns: {
    experiment: 'TEXT NOT NULL',
    pioreactor_unit: 'TEXT NOT NULL',
    job_name: 'TEXT NOT NULL',
    setting: 'TEXT NOT NULL',
    timestamp: 'TEXT NOT NULL',
    value: 'BLOB',
  },
  shared: 4,
  indexes: [{ columns: ['experiment', 'pioreactor_unit', 'job_name', 'setting', 'timestamp'] }],
  row(event) {
    // What is not retained is an occurrence, not a setting.
    if (!event.retain || event.text.startsWith('{') || isScratch(event)) return null
    const owner = [event.level(2), event.level(1), event.level(3), event.level(4)]
    return [...owner, event.recordedAt, event.isEmpty ? null : settingValue(event.text)]
  },
})
