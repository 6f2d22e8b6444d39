import { assignmentEvent, UnitAssignment } from '../../events/bioreactor/experiments.js'
import type { JobRecord } from '../../events/system/jobs.js'
import { type RetainedText, recordIn } from '../aftermath/retained.js'
import type { ServiceContext } from '../runtime/service.js'

/** Which experiment the unit belongs to. Its leader says so, or on a unit without one the command `assign_experiment`. */
export interface Assignment {
  /** Null for none. */
  experiment(): string | null
  /** Whether the unit was taken from a job's experiment after the job had begun; what cannot be dated counts as later. */
  hasLeft(job: Pick<JobRecord, 'experiment' | 'started_at'>): boolean
  close(): Promise<void>
}

/** Follows the retained assignment. A leader repeats it whenever it connects, and its absence says nothing: who cannot reach the unit stops nothing.
 * What is no assignment changes nothing.
 * @param past what is retained of earlier lives
 * @param onLeave called when the unit is assigned to something else than before */
export async function followAssignment(
  { bus, unit, logger }: Pick<ServiceContext, 'bus' | 'unit' | 'logger'>,
  past: readonly RetainedText[],
  onLeave: (left: string, now: string | null) => void,
): Promise<Assignment> {
  const topic = assignmentEvent.topic({ unit })
  const earlier = past.find((value) => value.topic === topic)
  let current = earlier === undefined ? null : recordIn(UnitAssignment, earlier)
  const experiment = (): string | null => current?.experiment || null

  const close = await bus.subscribe(topic, ({ payload }) => {
    const text = payload.toString()
    const told = text === '' ? null : recordIn(UnitAssignment, { topic, text })
    if (text !== '' && told === null) {
      logger.warn(
        { topic, text: text.slice(0, 200) },
        'what is published as assignment is none; the unit stays where it was',
      )
      return
    }
    const left = experiment()
    current = told
    if (left !== null && left !== experiment()) onLeave(left, experiment())
  })
  return {
    experiment,
    hasLeft({ experiment: of, started_at }) {
      if (current === null || current.experiment === of) return false
      const since = current.assigned_at ?? current.updated_at
      return !(Date.parse(since ?? '') <= Date.parse(started_at))
    },
    close,
  }
}
