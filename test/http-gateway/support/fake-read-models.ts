import type { JobCapability } from '../../../events/core/define-job.js'
import type { ModeDeclaration } from '../../../events/define-mode.js'
import type { DeviceRecord, JobRecord, ServiceRecord, TaskRecord } from '../../../events/payloads.js'
import type { JobFilter, ReadModels, RunFilter, RunRow } from '../../../projections/read-models.js'

/** Read models filled by hand. `position` follows `log` unless a test holds it back. */
export class FakeReadModels implements ReadModels {
  folded = 0
  readonly jobRecords: JobRecord[] = []
  readonly settings = new Map<string, Record<string, string | number>>()
  readonly tasks = new Map<string, TaskRecord>()
  readonly capabilities: JobCapability[] = []
  readonly modeDeclarations: ModeDeclaration[] = []
  readonly deviceRecords: DeviceRecord[] = []
  readonly runRows = new Map<string, RunRow>()
  serviceRecord: ServiceRecord | null = {
    state: 'ready',
    hardware: 'simulated',
    reason: null,
    timestamp: '2026-01-02T03:04:05.000Z',
  }

  position = (): number => this.folded
  filesPosition = (): number => this.folded
  jobs = ({ running, jobName, experiment, longRunning }: JobFilter = {}): JobRecord[] =>
    this.jobRecords.filter(
      (job) =>
        (running === undefined || job.is_running === running) &&
        (jobName === undefined || job.job_name === jobName) &&
        (experiment === undefined || job.experiment === experiment) &&
        (longRunning === undefined || job.is_long_running_job === longRunning),
    )
  jobSettings = (jobName: string): Record<string, string | number> | null => this.settings.get(jobName) ?? null
  task = (taskId: string): TaskRecord | null => this.tasks.get(taskId) ?? null
  jobCapabilities = (): JobCapability[] => this.capabilities
  modes = (): ModeDeclaration[] => this.modeDeclarations
  devices = (): DeviceRecord[] => this.deviceRecords
  service = (): ServiceRecord | null => this.serviceRecord
  runs = ({ groupId }: RunFilter = {}): RunRow[] =>
    [...this.runRows.values()].filter((run) => groupId === undefined || run.group_id === groupId)
  run = (runId: string): RunRow | null => this.runRows.get(runId) ?? null
  close = (): void => undefined
}
