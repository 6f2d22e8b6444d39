import { JobRecord, type LogMessage, TaskRecord, timestampOf } from '../events/payloads.js'
import type { BusMessage } from '../events/ports.js'
import { checkJson } from '../events/schema.js'
import { parseTopic, systemTopic } from '../events/topic.js'
import type { ServiceContext } from './service.js'

/** What the retained topics tell about jobs and tasks of earlier lives of this unit. */
export interface PastJobs {
  /** All job ids ever given that are still retained, ascending. */
  readonly jobIds: readonly number[]
  /** Oldest first. */
  readonly taskIds: readonly string[]
  readonly openRecords: readonly JobRecord[]
  readonly unfinishedTasks: readonly TaskRecord[]
  /** `$state` topics that claim a living job. */
  readonly liveStates: ReadonlyMap<string, string>
  /** Experiment the leader assigned this unit to. */
  assignedExperiment(): string | null
  /** Waits until everything retained has arrived. To be called after something was published on the same connection. */
  complete(): Promise<void>
  close(): Promise<void>
}

const ENDED = new Set(['disconnected', 'lost', ''])

/** Collects what is retained. The broker sends it right after it granted the subscription, so that whatever is published on this
 * connection afterwards is acknowledged later. */
export async function readPastJobs({ bus, unit, logger }: ServiceContext): Promise<PastJobs> {
  const records = new Map<number, JobRecord>()
  const tasks = new Map<string, TaskRecord>()
  const liveStates = new Map<string, string>()
  let assigned: string | null = null

  const parsed = (read: (message: BusMessage) => void) => (message: BusMessage) => {
    if (!message.retain || message.payload.length === 0) return
    try {
      read(message)
    } catch (error) {
      logger.warn({ topic: message.topic, err: error }, 'retained value not understood')
    }
  }
  const subscriptions = [
    await bus.subscribe(
      systemTopic(unit, 'jobs/+'),
      parsed(({ payload }) => {
        const record = checkJson(JobRecord, payload.toString(), 'job record')
        records.set(record.job_id, record)
      }),
    ),
    await bus.subscribe(
      systemTopic(unit, 'tasks/+'),
      parsed(({ payload }) => {
        const task = checkJson(TaskRecord, payload.toString(), 'task record')
        tasks.set(task.task_id, task)
      }),
    ),
    await bus.subscribe(
      `pioreactor/${unit}/+/+/$state`,
      parsed(({ topic, payload }) => {
        const state = payload.toString()
        if (!ENDED.has(state)) liveStates.set(topic, state)
      }),
    ),
  ]
  const endAssignment = await bus.subscribe(`pioreactor/${unit}/$experiment/assignment`, ({ payload }) => {
    const { experiment } = JSON.parse(payload.toString() || '{}') as { readonly experiment?: unknown }
    assigned = typeof experiment === 'string' && experiment !== '' ? experiment : null
  })

  return {
    get jobIds() {
      return [...records.keys()].sort((a, b) => a - b)
    },
    get taskIds() {
      const byTime = [...tasks.values()].sort((a, b) => a.timestamp.localeCompare(b.timestamp))
      return byTime.map(({ task_id }) => task_id)
    },
    get openRecords() {
      return [...records.values()].filter((record) => record.is_running)
    },
    get unfinishedTasks() {
      return [...tasks.values()].filter(({ status }) => status === 'running')
    },
    liveStates,
    assignedExperiment: () => assigned,
    async complete() {
      for (const end of subscriptions) await end()
    },
    close: endAssignment,
  }
}

/** Tells the truth about jobs and tasks that died with an earlier process: `$state` lost, records ended, an alarm for each. */
export async function endInterruptedJobs({ bus, unit, clock }: ServiceContext, past: PastJobs): Promise<void> {
  const now = timestampOf(clock.now())
  const interrupted = new Map<string, { readonly experiment: string; readonly job: string }>()
  for (const topic of past.liveStates.keys()) {
    const parts = parseTopic(topic)
    if (parts.family !== 'job') continue
    interrupted.set(`${parts.experiment}/${parts.job}`, parts)
    await bus.publish(topic, 'lost', { retain: true })
  }
  for (const record of past.openRecords) {
    interrupted.set(`${record.experiment}/${record.job_name}`, { experiment: record.experiment, job: record.job_name })
    const ended: JobRecord = { ...record, is_running: false, ended_at: now, state: 'lost', reason: 'lost' }
    await bus.publish(systemTopic(unit, `jobs/${record.job_id}`), JSON.stringify(ended), { retain: true })
  }
  for (const task of past.unfinishedTasks) {
    const ended: TaskRecord = {
      ...task,
      status: 'failed',
      error: { code: 'task.interrupted', family: 'state', message: 'The services process ended before the task did.' },
      timestamp: now,
    }
    await bus.publish(systemTopic(unit, `tasks/${task.task_id}`), JSON.stringify(ended), { retain: true })
  }
  for (const { experiment, job } of interrupted.values()) {
    const alarm: LogMessage = {
      source: 'app',
      task: job,
      message: `${job} was interrupted: the services process ended unexpectedly. Its outputs are off.`,
      level: 'ERROR',
      timestamp: now,
    }
    await bus.publish(`pioreactor/${unit}/${experiment}/logs/app/error`, JSON.stringify(alarm))
  }
}
