import { JobRecord } from '../events/payloads.js'
import { foldProjection } from './projection.js'

/** `state`, `reason` and `first_position` are ours, the other columns Pioreactor's. */
export type JobMetadataRow = {
  readonly job_id: number
  readonly unit: string
  readonly experiment: string
  readonly job_name: string
  readonly job_source: string
  readonly started_at: string
  readonly is_running: number
  readonly leader: string
  readonly pid: number
  readonly is_long_running_job: number
  readonly ended_at: string | null
  readonly state: string
  readonly reason: string | null
  /** Position of the record that announced the job; settings published before it belong to an earlier one. */
  readonly first_position: number
}

/** Every job the unit ever started. */
export const jobMetadata = foldProjection<JobMetadataRow>({
  name: 'pio_job_metadata',
  version: 1,
  on: ['system/+/jobs/+'],
  columns: {
    job_id: 'INTEGER NOT NULL',
    unit: 'TEXT NOT NULL',
    experiment: 'TEXT NOT NULL',
    job_name: 'TEXT NOT NULL',
    job_source: 'TEXT NOT NULL',
    started_at: 'TEXT NOT NULL',
    is_running: 'INTEGER NOT NULL',
    leader: 'TEXT NOT NULL',
    pid: 'INTEGER NOT NULL',
    is_long_running_job: 'INTEGER NOT NULL',
    ended_at: 'TEXT',
    state: 'TEXT NOT NULL',
    reason: 'TEXT',
    first_position: 'INTEGER NOT NULL',
  },
  key: ['job_id'],
  indexes: [{ columns: ['is_running', 'experiment'] }, { columns: ['job_name'] }],
  // Clearing the retained record ends its life on the broker, not in the history.
  keys: (event) => (event.isEmpty ? [] : [[event.as(JobRecord).job_id]]),
  evolve: (row, event) => {
    const { is_running, is_long_running_job, ...job } = event.as(JobRecord)
    return {
      ...job,
      is_running: is_running ? 1 : 0,
      is_long_running_job: is_long_running_job ? 1 : 0,
      first_position: row?.first_position ?? event.position,
    }
  },
})
