import { Type } from '@sinclair/typebox'
import { type LogMessage, logEvent } from '../../events/bioreactor/logs.js'
import { automationCapabilityEvent, JobRecord, jobCapabilityEvent, jobEvent } from '../../events/system/jobs.js'
import { parseTopic } from '../../events/topic.js'
import type { PartAftermath, Past } from '../aftermath/aftermath.js'
import { type Correction, type Death, type RetainedText, recordIn, retained } from '../aftermath/retained.js'

const ENDED = new Set(['disconnected', 'lost'])

const Persist = { persist: Type.Optional(Type.Boolean()) }
const Declared = Type.Object({
  job_name: Type.String(),
  published_settings: Type.Record(Type.String(), Type.Object(Persist)),
  /** Absent in older announcements; actions list their settings only here. */
  form: Type.Optional(Type.Object({ settings: Type.Array(Type.Object({ name: Type.String(), ...Persist })) })),
})

/** No job lives: states are `lost`, settings that do not outlive a job are cleared, records ended; an alarm for each that was interrupted. */
function corrections({ world, death }: Past): readonly Correction[] {
  const declared = declaredSettings(world)
  const interrupted = new Map<string, { readonly unit: string; readonly experiment: string; readonly job: string }>()
  const corrections: Correction[] = []
  for (const value of world) {
    const topic = parseTopic(value.topic)
    if (topic.family === 'job' && topic.setting === '$state' && !ENDED.has(value.text)) {
      interrupted.set(value.topic, topic)
      corrections.push(retained(value.topic, 'lost'))
    } else if (topic.family === 'job') {
      const persists = declared.get(`${topic.unit}/${topic.job}/${topic.setting}`)
      if (persists === false) corrections.push(retained(value.topic, ''))
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

export const jobsLost: PartAftermath = {
  filters: [jobEvent.filter(), jobCapabilityEvent.filter(), automationCapabilityEvent.filter(), 'pioreactor/+/+/+/+'],
  corrections,
}

/** Whether a setting outlives its job, by unit, job and setting. Automations of one job add up. */
function declaredSettings(world: readonly RetainedText[]): ReadonlyMap<string, boolean> {
  const found = new Map<string, boolean>()
  for (const value of world) {
    const topic = parseTopic(value.topic)
    if (topic.family !== 'system' || topic.rest[0] !== 'capabilities') continue
    const capability = recordIn(Declared, value)
    if (capability === null) continue
    const { job_name: job, published_settings, form = { settings: [] } } = capability
    const listed = Object.entries(published_settings).map(([name, { persist }]) => ({ name, persist }))
    for (const { name, persist } of [...listed, ...form.settings]) {
      found.set(`${topic.unit}/${job}/${name}`, persist === true)
    }
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
  const topic = logEvent.topic({ unit, experiment, source: message.source, level: 'error' })
  return { topic, payload: logEvent.encode(message), retain: logEvent.retained }
}
