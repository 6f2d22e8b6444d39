import { violations } from '../../events/schema.js'
import {
  CommandOutcome,
  EARLY_OUTCOME_FILTER,
  outcomeEvent,
  settingOutcomeEvent,
} from '../../events/system/outcomes.js'
import { parseTopic } from '../../events/topic.js'
import type { FoldEvent } from '../engine/fold-event.js'
import { rowsProjection } from '../engine/projection.js'
import { readModel } from '../engine/read-model.js'

/** How each command ended. `setting` holds the topic of a `/set`, which carries no id. */
const outcomeTable = rowsProjection({
  name: 'command_outcomes',
  version: 1,
  on: [outcomeEvent.filter(), settingOutcomeEvent.filter(), EARLY_OUTCOME_FILTER],
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
    if (event.isEmpty || isOrder(event)) return null
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

/** Nobody but notebooks asks for them. */
export const commandOutcomes = readModel([outcomeTable])

/** Orders stand where early logs hold outcomes, and may be anything. An outcome names the id it stands under. */
function isOrder(event: FoldEvent): boolean {
  const topic = parseTopic(event.topic)
  if (topic.family !== 'command') return false
  try {
    const { json } = event
    return violations(CommandOutcome, json).length > 0 || event.fields.optionalString('id') !== topic.command
  } catch {
    return true
  }
}
