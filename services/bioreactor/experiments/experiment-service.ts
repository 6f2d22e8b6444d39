import { publishEvent } from '../../../bus/publish-event.js'
import {
  assignExperimentCommand,
  assignmentEvent,
  describeExperimentCommand,
  ExperimentRecord,
  experimentEvent,
  type UnitAssignment,
} from '../../../events/bioreactor/experiments.js'
import { InvalidInput } from '../../../events/core/errors.js'
import { timestampOf } from '../../../events/core/timestamp.js'
import { topicLevel } from '../../../events/topic.js'
import type { PartAftermath } from '../../aftermath/aftermath.js'
import { type RetainedText, recordIn } from '../../aftermath/retained.js'
import { type Answer, answer } from '../../runtime/answer.js'
import type { ServiceContext } from '../../runtime/service.js'

/** What was said of experiments is true whatever died; it is looked up for the next life. */
export const experimentsKnown: PartAftermath = {
  filters: [experimentEvent.filter(), assignmentEvent.filter()],
  corrections: () => [],
}

/** Takes what a unit without a leader is told of its experiments. @param past what is retained of earlier lives */
export function offerExperiments(
  { unit, bus, clock }: ServiceContext,
  past: readonly RetainedText[],
): readonly Answer[] {
  const records = new Map(
    past.flatMap((value) => {
      const levels = experimentEvent.levels(value.topic)
      const record = levels?.unit === unit ? recordIn(ExperimentRecord, value) : null
      return levels === null || record === null ? [] : [[levels.experiment, record] as const]
    }),
  )
  return [
    answer(assignExperimentCommand, async ({ experiment }) => {
      const now = timestampOf(clock.now())
      const assignment: UnitAssignment = {
        pioreactor_unit: unit,
        experiment: experiment === null ? null : named(experiment),
        assigned_at: experiment === null ? null : now,
        updated_at: now,
      }
      await publishEvent(bus, assignmentEvent, { unit }, assignment)
      return assignment
    }),
    answer(describeExperimentCommand, async ({ experiment: name, ...told }) => {
      const experiment = named(name)
      const known = records.get(experiment) ?? { description: null, tags: [], unit_label: null }
      const record: ExperimentRecord = { ...known, ...told, timestamp: timestampOf(clock.now()) }
      await publishEvent(bus, experimentEvent, { unit, experiment }, record)
      records.set(experiment, record)
      return record
    }),
  ]
}

/** @throws InvalidInput for what cannot be part of a topic, and for names that stand for no experiment */
function named(experiment: string): string {
  if (!experiment.startsWith('$')) return topicLevel('experiment', experiment)
  throw new InvalidInput(`experiment is '${experiment}'; names that begin with $ stand for no experiment.`, {
    details: { field: 'experiment', value: experiment },
  })
}
