import { JobRecord, jobEvent } from '../../events/system/jobs.js'
import { keptList, PAGE_ROWS } from '../engine/kept-list.js'
import { foldProjection } from '../engine/projection.js'
import type { Tables } from '../engine/queries.js'
import { readModel } from '../engine/read-model.js'

/** `state`, `reason`, `first_position` and `changed_at` are ours, the other columns Pioreactor's. */
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
  /** Position of its latest record. */
  readonly changed_at: number
}

/** Every job the unit ever started. */
const jobMetadata = foldProjection<JobMetadataRow>({
  name: 'pio_job_metadata',
  version: 3,
  on: [jobEvent.filter()],
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
    changed_at: 'INTEGER NOT NULL',
  },
  key: ['job_id'],
  indexes: [
    { columns: ['is_running', 'experiment'] },
    { columns: ['job_name', 'is_running'] },
    { columns: ['changed_at'] },
  ],
  // Clearing the retained record ends its life on the broker, not in the history.
  keys: (event) => (event.isEmpty ? [] : [[event.as(JobRecord).job_id]]),
  evolve: (row, event) => {
    const { is_running, is_long_running_job, ...job } = event.as(JobRecord)
    return {
      ...job,
      is_running: is_running ? 1 : 0,
      is_long_running_job: is_long_running_job ? 1 : 0,
      first_position: row?.first_position ?? event.position,
      changed_at: event.position,
    }
  },
})

export interface JobFilter {
  /** Only jobs that run. */
  readonly running?: true
  readonly jobName?: string
  readonly experiment?: string
  readonly longRunning?: boolean
}

/** Null: any. */
interface Wanted {
  readonly jobName: string | null
  readonly experiment: string | null
  readonly longRunning: number | null
}

export const jobs = readModel([jobMetadata], (tables: Tables<{ pio_job_metadata: JobMetadataRow }>) => {
  const matching = (onlyRunning: boolean) =>
    tables.query<Wanted, JobMetadataRow>((from, value) =>
      from
        .selectFrom('pio_job_metadata')
        .selectAll()
        .$if(onlyRunning, (query) => query.where('is_running', '=', 1))
        .where((is) => is.or([is(value('jobName'), 'is', null), is('job_name', '=', value('jobName'))]))
        .where((is) => is.or([is(value('experiment'), 'is', null), is('experiment', '=', value('experiment'))]))
        .where((is) =>
          is.or([is(value('longRunning'), 'is', null), is('is_long_running_job', '=', value('longRunning'))]),
        )
        .orderBy('job_id'),
    )
  const all = matching(false)
  // A query of its own, because only this one can use the index of running jobs.
  const running = matching(true)
  const changes = tables.query<object, { changed_at: number }>((from) =>
    from.selectFrom('pio_job_metadata').select('changed_at').orderBy('changed_at', 'desc').limit(1),
  )
  const changedAfter = tables.query<{ position: number }, JobMetadataRow>((from, value) =>
    from
      .selectFrom('pio_job_metadata')
      .selectAll()
      .where('changed_at', '>', value('position'))
      .orderBy('changed_at')
      .limit(PAGE_ROWS),
  )
  return {
    /** Every job ever, the latest first: there may be thousands. The same list and the same records as long as they have not changed. */
    allJobs: keptList<JobMetadataRow, JobRecord>({
      lastChange: async () => (await changes({}))[0]?.changed_at ?? 0,
      changedAfter: (position) => changedAfter({ position }),
      compare: (one, other) => other.job_id - one.job_id,
      itemOf: async (row) => jobRecord(row),
      isSettled: () => true,
    }),
    /** Jobs that fit every given condition, by id. */
    async jobs({ running: onlyRunning, jobName, experiment, longRunning }: JobFilter = {}): Promise<JobRecord[]> {
      const query = onlyRunning === true ? running : all
      const found = await query({
        jobName: jobName ?? null,
        experiment: experiment ?? null,
        longRunning: longRunning === undefined ? null : Number(longRunning),
      })
      return found.map(jobRecord)
    },
  }
})

function jobRecord({ first_position: _, changed_at: __, ...job }: JobMetadataRow): JobRecord {
  return {
    ...job,
    is_running: job.is_running === 1,
    is_long_running_job: job.is_long_running_job === 1,
    state: job.state as JobRecord['state'],
  }
}
