import { defineJob } from '../../../events/core/define-job.js'
import { createJob } from '../../jobs/job.js'

/** On a Pioreactor a job of the leader stores what is published. Here the broker records every event before anybody sees it, and no job is needed for that;
 * this one stands for it, so that clients see by its state whether it is so: `ready` while events are recorded, `sleeping` while they cannot be. */
export const mqttToDbStreaming = defineJob({
  name: 'mqtt_to_db_streaming',
  help: 'Tells whether what is published is recorded.',
  resident: 'always',
  longRunning: true,
  parameters: {},
})

export const mqttToDbStreamingJob = createJob(mqttToDbStreaming, async () => ({
  setters: {},
  // What must not go unrecorded must not happen: the unit puts all jobs to sleep while the log cannot be written.
  sleep: async () => undefined,
  wake: async () => undefined,
}))
