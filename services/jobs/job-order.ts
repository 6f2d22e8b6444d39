import type { JobDefinition } from '../../events/core/define-job.js'
import type { Values } from '../../events/core/parameter.js'
import type { JobState } from '../../events/job-state.js'
import type { Clock, Logger, MessageBus } from '../../events/ports.js'
import type { JobRecord } from '../../events/system/jobs.js'
import type { UnitConfig } from '../unit-admin/config/unit-config.js'
import type { JobPeers, StartedPeer } from './job.js'

/** What a job was started with. */
export interface JobOrder {
  readonly jobId: number
  readonly unit: string
  readonly experiment: string
  readonly source: string
  /** The declared parameters, checked. */
  readonly params: Values
  readonly config: UnitConfig
  /** What the start was asked with. */
  readonly start: NonNullable<JobRecord['start']>
}

/** A job that another one began. */
export interface StartedJob extends StartedPeer {
  /** Resolves once it is ready; rejects with the reason of a failed start. */
  readonly started: Promise<void>
}

/** What a job needs of its unit. */
export interface RunningJobDeps {
  readonly clock: Clock
  readonly logger: Logger
  readonly peers: JobPeers
  connectBus(options: {
    readonly name: string
    readonly will: { readonly topic: string; readonly payload: string }
  }): Promise<MessageBus>
  /** Begins another job, as a command would. @throws LabError when it is refused */
  startJob(name: string, options: Values, experiment: string): Promise<StartedJob>
  /** Called after every change of state or published value. */
  onChange(): void
}

/** Where a job stands. */
export interface JobProgress {
  readonly state: JobState
  readonly startedAt: string
  readonly endedAt: string | null
  /** Why it ended, when that was not asked for. */
  readonly reason: string | null
}

/** The row of the jobs table. */
export const jobRecord = (
  { name, longRunning }: JobDefinition,
  { jobId, unit, experiment, source, config, start }: JobOrder,
  { state, startedAt, endedAt, reason }: JobProgress,
): JobRecord => ({
  job_id: jobId,
  unit,
  experiment,
  job_name: name,
  job_source: source,
  started_at: startedAt,
  ended_at: endedAt,
  is_running: endedAt === null,
  leader: config.find('cluster.topology', 'leader_hostname') ?? '',
  pid: process.pid,
  is_long_running_job: longRunning === true,
  state,
  start,
  reason,
})
