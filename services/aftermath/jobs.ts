import { type Static, Type } from '@sinclair/typebox'
import { JobRecord, type LogMessage } from '../../events/payloads.js'
import { parseTopic } from '../../events/topic.js'
import { type Correction, type Death, type RetainedText, recordIn, retained } from './retained.js'

export const JOB_FILTERS = ['system/+/jobs/+', 'system/+/capabilities/jobs/+', 'pioreactor/+/+/+/+'] as const

const ENDED = new Set(['disconnected', 'lost'])

const Declared = Type.Object({
  published_settings: Type.Record(Type.String(), Type.Object({ persist: Type.Optional(Type.Boolean()) })),
})

/** No job lives: states are `lost`, settings that do not outlive a job are cleared, records ended; an alarm for each that was interrupted. */
export function jobsLost(world: readonly RetainedText[], death: Death): readonly Correction[] {
  const declared = declaredSettings(world)
  const interrupted = new Map<string, { readonly unit: string; readonly experiment: string; readonly job: string }>()
  const corrections: Correction[] = []
  for (const value of world) {
    const topic = parseTopic(value.topic)
    if (topic.family === 'job' && topic.setting === '$state' && !ENDED.has(value.text)) {
      interrupted.set(value.topic, topic)
      corrections.push(retained(value.topic, 'lost'))
    } else if (topic.family === 'job') {
      const setting = declared.get(`${topic.unit}/${topic.job}`)?.[topic.setting]
      if (setting !== undefined && setting.persist !== true) corrections.push(retained(value.topic, ''))
    } else if (topic.family === 'system' && topic.rest[0] === 'jobs') {
      const record = recordIn(JobRecord, value)
      if (record === null || !record.is_running) continue
      const { unit, experiment, job_name: job } = record
      interrupted.set(`pioreactor/${unit}/${experiment}/${job}/$state`, { unit, experiment, job })
      corrections.push(retained(value.topic, lostRecord(record, death)))
    }
  }
  return [...corrections, ...[...interrupted.values()].map((job) => alarm(job, death))]
}

/** Declarations of settings by unit and job. */
function declaredSettings(
  world: readonly RetainedText[],
): ReadonlyMap<string, Static<typeof Declared>['published_settings']> {
  const found = new Map<string, Static<typeof Declared>['published_settings']>()
  for (const value of world) {
    const topic = parseTopic(value.topic)
    if (topic.family !== 'system' || topic.rest[0] !== 'capabilities') continue
    const capability = recordIn(Declared, value)
    if (capability !== null) found.set(`${topic.unit}/${topic.rest[2]}`, capability.published_settings)
  }
  return found
}

const lostRecord = (record: JobRecord, { at }: Death): JobRecord => ({
  ...record,
  is_running: false,
  ended_at: at,
  state: 'lost',
  reason: 'lost',
  interrupted: true,
})

function alarm(
  { unit, experiment, job }: { readonly unit: string; readonly experiment: string; readonly job: string },
  { now }: Death,
): Correction {
  const message: LogMessage = {
    source: 'app',
    task: job,
    message: `${job} was interrupted: the services process ended unexpectedly.`,
    level: 'ERROR',
    timestamp: now,
  }
  const topic = `pioreactor/${unit}/${experiment}/logs/app/error`
  return { topic, payload: JSON.stringify(message), retain: false }
}
