import { InvalidDeclaration } from '../../events/core/check-declaration.js'
import type { JobDefinition } from '../../events/core/define-job.js'
import { defineError } from '../../events/core/errors.js'
import { automationCapabilityEvent, jobCapabilityEvent } from '../../events/system/jobs.js'
import { matchesFilter } from '../../events/topic.js'
import type { RetainedText } from '../aftermath/retained.js'
import type { ServiceContext } from '../runtime/service.js'
import type { Job } from './job.js'

const JobUnknown = defineError('job.unknown', 'input', 'The unit has no job of this name.')
const AutomationUnknown = defineError(
  'automation.unknown',
  'input',
  'The job has no automation of this name, or none was named.',
)

/** The jobs a unit offers, told apart by name and, for automations, by the automation. */
export class OfferedJobs {
  readonly #jobs = new Map<string, Job>()
  readonly #names = new Map<string, Job[]>()

  /** @throws InvalidDeclaration when two stand for the same. */
  constructor(jobs: readonly Job[]) {
    for (const job of jobs) {
      const { key, name } = job.definition
      if (this.#jobs.has(key)) {
        throw new InvalidDeclaration(`Job '${key}' is declared twice.`)
      }
      this.#jobs.set(key, job)
      this.#names.set(name, [...(this.#names.get(name) ?? []), job])
    }
  }

  all(): readonly Job[] {
    return [...this.#jobs.values()]
  }

  /** Several when they are automations of one kind. */
  named(name: string): readonly Job[] {
    return this.#names.get(name) ?? []
  }

  /** What is meant: a sub-command stands in the name, or first among the arguments, as on a command line. */
  command(name: string, args: string[]): { readonly name: string; readonly args: string[] } {
    const [first, ...rest] = args
    const whole = `${name} ${first}`
    return this.#names.has(whole) ? { name: whole, args: rest } : { name, args }
  }

  /** @param automation name of the automation that is to be run; null when none is named.
   * @throws InvalidInput naming what there is instead. */
  get(name: string, automation: string | null): Job {
    const [first, ...more] = this.named(name)
    if (first === undefined) {
      throw new JobUnknown(`This unit has no job '${name}'.`, { details: { field: 'job_name', value: name } })
    }
    if (first.definition.automation === undefined) return first
    const known = [first, ...more].map(({ definition }) => definition.automation)
    const found = [first, ...more].find(({ definition }) => definition.automation === automation)
    if (found !== undefined) return found
    const problem = automation === null ? 'automation_name is missing' : `${name} has no automation '${automation}'`
    throw new AutomationUnknown(`${problem}; there ${known.length === 1 ? 'is' : 'are'} ${known.join(', ')}.`, {
      details: { field: 'automation_name', value: automation },
    })
  }
}

/** Announces the jobs on offer, retained, and clears the announcements of others that an earlier version or a plugin left behind.
 * @param retained what is retained of earlier lives. */
export async function announceJobs(
  { bus, unit }: Pick<ServiceContext, 'bus' | 'unit'>,
  offered: OfferedJobs,
  retained: readonly RetainedText[],
): Promise<void> {
  const topicOf = ({ name: job_name, automation: automation_name }: JobDefinition): string =>
    automation_name === undefined
      ? jobCapabilityEvent.topic({ unit, job_name })
      : automationCapabilityEvent.topic({ unit, job_name, automation_name })
  const announced = new Map(offered.all().map(({ definition }) => [topicOf(definition), definition]))
  const filters = [jobCapabilityEvent, automationCapabilityEvent].map((event) => event.filter({ unit }))
  const isCapability = (topic: string): boolean => filters.some((filter) => matchesFilter(filter, topic))
  const past = retained.filter(({ topic }) => isCapability(topic) && !announced.has(topic))
  // Published together, so that they share a commit of the log.
  await Promise.all([
    ...past.map(({ topic }) => bus.publish(topic, '', { retain: true })),
    ...[...announced].map(([topic, definition]) =>
      bus.publish(topic, jobCapabilityEvent.encode(definition.capability(unit)), { retain: true }),
    ),
  ])
}
