import { Type } from '@sinclair/typebox'
import { defineJob, type SettingsOf } from '../../../events/core/define-job.js'
import { type ProjectionsRecord, projectionsEvent } from '../../../events/system/projections.js'
import { createJob, type JobContext } from '../../jobs/job.js'

const ofReadModels = { published: true, unlisted: true, when: 'once the read models have told it' } as const

/** On a Pioreactor a job of the leader stores what is published. Here the broker records every event before anybody sees it, and the read models fold it:
 * no job is needed for either. This one stands for them, so that clients see how it is: `ready` while events are recorded, `sleeping` while they cannot
 * be, and in its settings how the read models follow. */
export const mqttToDbStreaming = defineJob({
  name: 'mqtt_to_db_streaming',
  help: 'Tells whether what is published is recorded, and whether the read models follow.',
  resident: 'always',
  longRunning: true,
  parameters: {
    events_behind: {
      ...ofReadModels,
      schema: Type.Integer({ minimum: 0 }),
      doc: 'Events that are recorded and that the read models have not folded for ten seconds.',
    },
    parked_events: {
      ...ofReadModels,
      schema: Type.Integer({ minimum: 0 }),
      doc: 'Events that a read model could make nothing of: they are in the log, and missing in its table.',
    },
    problem: { ...ofReadModels, schema: Type.String(), doc: 'Why the read models do not go on; empty when they do.' },
  },
})
type RecordingJob = JobContext<SettingsOf<typeof mqttToDbStreaming>>

export const mqttToDbStreamingJob = createJob(mqttToDbStreaming, async (job) => {
  await job.follow(projectionsEvent.filter({ unit: job.unit }), ({ payload }) => {
    if (payload.length > 0) tell(job, projectionsEvent.parse(payload.toString()))
  })
  return {
    setters: {},
    // What must not go unrecorded must not happen: the unit puts all jobs to sleep while the log cannot be written.
    sleep: async () => undefined,
    wake: async () => undefined,
  }
})

function tell(job: RecordingJob, { events_behind, parked_events, reason }: ProjectionsRecord): void {
  if (parked_events > (job.value('parked_events') ?? 0)) {
    job.log('warning', `Read models could make nothing of ${parked_events} events; they are in the log all the same.`)
  }
  if (reason !== null && reason !== job.value('problem')) job.log('error', `The read models do not go on: ${reason}`)
  job.publish('events_behind', events_behind)
  job.publish('parked_events', parked_events)
  job.publish('problem', reason)
}
