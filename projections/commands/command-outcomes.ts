import { CommandOutcome, outcomeEvent, settingOutcomeEvent } from '../../events/system/commands.js'
import { rowsProjection } from '../engine/projection.js'

/** How each command ended. `setting` holds the topic of a `/set`, which carries no id. */
export const commandOutcomes = rowsProjection({
  name: 'command_outcomes',
  version: 1,
  on: [outcomeEvent.filter(), settingOutcomeEvent.filter()],
  columns: {
    id: 'TEXT',
    setting: 'TEXT',
    unit: 'TEXT NOT NULL',
    accepted: 'INTEGER NOT NULL',
    result: 'TEXT',
    error: 'TEXT',
    timestamp: 'TEXT NOT NULL',
  },
  indexes: [{ columns: ['id'] }],
  row: (event) => {
    if (event.isEmpty) return null
    const { accepted, result, error, timestamp } = event.as(CommandOutcome)
    const isSetting = event.level(0) === 'pioreactor'
    return [
      isSetting ? null : event.level(3),
      isSetting ? event.levels.slice(2, -2).join('/') : null,
      event.level(1),
      accepted ? 1 : 0,
      result === undefined ? null : JSON.stringify(result),
      error === undefined ? null : JSON.stringify(error),
      timestamp,
    ]
  },
})
