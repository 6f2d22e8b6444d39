import type { OrderOf } from '../../events/core/define-command.js'
import type { JobDefinition } from '../../events/core/define-job.js'
import { defineError, isDefect } from '../../events/core/errors.js'
import { runJobCommand, stopJobsCommand, updateJobCommand } from '../../events/system/commands.js'
import { ServicesSuspended } from '../../events/system/errors.js'
import { topicLevel } from '../../events/topic.js'
import { deadline } from '../../primitives/deadline.js'
import type { RetainedText } from '../aftermath/retained.js'
import { answer } from '../runtime/answer.js'
import type { Service, ServiceContext } from '../runtime/service.js'
import { createTaskLog } from '../runtime/task-log.js'
import { stockConfig } from '../unit-admin/config/stock-config.js'
import { readUnitConfig, type UnitConfig } from '../unit-admin/config/unit-config.js'
import { followAssignment } from './assignment.js'
import { FinishedJobs } from './finished-jobs.js'
import { followSetCommands } from './follow-set-commands.js'
import type { Job } from './job.js'
import { JobRefused, jobNotRunning, StartFailed, startFailed, stoppedAtStart } from './job-errors.js'
import type { JobOrder } from './job-order.js'
import { announceJobs, OfferedJobs } from './offered-jobs.js'
import { pastJobs } from './past-jobs.js'
import { resolveParameters } from './resolve-parameters.js'
import { resumeInterrupted } from './resume-interrupted.js'
import { RunningJob } from './running-job.js'
import { RunningJobs } from './running-jobs.js'
import { parseStateCommand } from './set-commands.js'
import { checkOverride, namedAutomation } from './start-order.js'
import { inStopOrder, type StopFilter, StopsMeanwhile, stopFilter } from './stop-filter.js'

const UnitInactive = defineError('unit.inactive', 'state', 'The unit is not active in its cluster, so no job starts.')
const UnitReassigned = defineError(
  'unit.reassigned',
  'state',
  'The unit was assigned to another experiment while a job of its own was about to start.',
)
const JobDuplicate = defineError('job.duplicate', 'state', 'A job of this name runs already.')
/** A start counts as successful when the job still lives after this time. */
const GRACE_MS = 1000

type RunJob = OrderOf<typeof runJobCommand>

/** Where a job belongs that names no experiment on a unit that is assigned to none. */
const NO_EXPERIMENT = '$no_experiment_present'

/** The jobs of a unit, for others of its services. */
export interface JobService extends Service {
  /** Runs a job that is not on offer, in a scratch experiment: with its record, its will and its end as any other. @param source who asks
   * @throws LabError when no job may start now */
  perform(job: Job, source: string): Promise<RunningJob>
  /** Whether a job of this name runs. */
  isRunning(name: string): boolean
  /** The configuration as a job would start with it. @throws InvalidConfig */
  config(): Promise<UnitConfig>
}

/** Starts, stops and changes the jobs of this unit.
 * @param retained what is retained of earlier lives, corrected.
 * @param resumeJobs names of jobs to start again, as they were asked for, when an earlier life of this process ended under them.
 * @param withResidents whether the jobs of the unit start by themselves.
 * @returns once the jobs on offer are announced. */
export async function startJobService(
  context: ServiceContext,
  retained: readonly RetainedText[],
  jobs: readonly Job[],
  resumeJobs: readonly string[] = [],
  withResidents = true,
): Promise<JobService> {
  const { unit, clock, logger } = context
  const offered = new OfferedJobs(jobs)
  const stock = stockConfig(
    context.dotPioreactor,
    jobs.map(({ definition }) => definition),
  )
  const running = new RunningJobs()
  let suspended: { readonly reason: string; readonly sinceMs: number } | null = null

  const assignment = await followAssignment(context, retained, (left, now) => void leave(left, now))
  await announceJobs(context, offered, retained)
  const past = pastJobs(retained, unit)
  const finishedJobs = new FinishedJobs(context, past.jobs)
  const tasks = createTaskLog(context)
  let lastJobId = Math.max(0, ...past.jobs.map(({ job_id }) => job_id))

  function refuseSuspended(): void {
    if (suspended !== null) throw new ServicesSuspended(`No job starts now: ${suspended.reason}.`)
  }

  /** @param heard to which experiment the unit belonged when the order came, and the stops that came since. */
  async function prepare(order: RunJob, heard = listen()): Promise<RunningJob> {
    try {
      return await prepareHeard(order, heard)
    } finally {
      heard.release()
    }
  }

  const stopsMeanwhile = new StopsMeanwhile()
  const listen = () => ({ ...stopsMeanwhile.watch(), assigned: assignment.experiment() })

  async function prepareHeard(order: RunJob, { assigned, stops }: ReturnType<typeof listen>): Promise<RunningJob> {
    const { env = {}, options = {}, config_overrides = [] } = order
    const { name, args } = offered.command(order.job_name, order.args ?? [])
    const { automation, own } = namedAutomation(options)
    const job = offered.get(name, automation)
    if (env['ACTIVE'] === '0') throw new UnitInactive(`${unit} is not active; ${name} was not started.`)
    const overrides = config_overrides.map(checkOverride)
    const asked = env['EXPERIMENT'] || assigned || NO_EXPERIMENT
    const experiment = isOfUnit(job.definition) ? OF_UNIT : topicLevel('experiment', asked)
    const source = env['JOB_SOURCE'] || 'user'
    // A unit whose configuration cannot be read is still there to tell so.
    const spareBroken = job.definition.resident !== undefined
    const config = await readUnitConfig(context.dotPioreactor, stock, overrides, { spareBroken })
    const { definition } = job
    const given = { options: definition.automation === undefined ? options : own, args }
    const params = resolveParameters(definition, given, config)
    if (job.refusal !== undefined) throw new JobRefused(job.refusal)
    if (args.length > 0 && !takesArguments(definition))
      logger.warn({ job: name, args }, 'arguments are not used by this job')
    refuseSuspended()
    // The assignment that came meanwhile has stopped the jobs of this experiment; it did not see this one.
    if (experiment === assigned && assignment.experiment() !== assigned)
      throw new UnitReassigned(`${unit} has just left ${experiment}; ${name} was not started.`)
    const wanted = { definition, order: { experiment, source, jobId: NOT_YET } }
    if (stops.some((isMeant) => isMeant(wanted))) throw stoppedAtStart(name)
    if (definition.action !== true && running.named(name).length > 0)
      throw new JobDuplicate(`${name} is already running on ${unit}.`)
    return begin(job, {
      jobId: ++lastJobId,
      unit,
      experiment,
      source,
      params,
      config,
      start: { options, args, config_overrides },
    })
  }

  async function admit({ job_name, options = {}, env = {}, config_overrides = [] }: RunJob): Promise<void> {
    const [job] = offered.named(job_name)
    const config = () => readUnitConfig(context.dotPioreactor, stock, config_overrides.map(checkOverride))
    await job?.admit?.({ options, env, config })
  }

  function begin(job: Job, order: JobOrder): RunningJob {
    const { name } = job.definition
    const started = new RunningJob(job, order, {
      clock,
      logger: logger.child({ job: name, experiment: order.experiment }),
      peers: running,
      connectBus: (options) => context.connectBus(options),
      startJob: (job_name, options, experiment) =>
        prepare({ job_name, options, env: { EXPERIMENT: experiment, JOB_SOURCE: name } }),
      onChange: () => running.changed(name),
    })
    running.add(started)
    finishedJobs.began({ job_id: order.jobId, job_name: name, experiment: order.experiment })
    void started.ended.then(() => finishedJobs.ended(order.jobId))
    return started
  }

  async function run(order: RunJob, heard: ReturnType<typeof listen>): Promise<{ ok: true }> {
    try {
      const job = await prepare(order, heard)
      // An action that fails at once has failed; any other job has started when it is ready.
      const settled = job.started.then(() => (job.definition.action === true ? job.ended : undefined))
      await deadline(GRACE_MS, settled, () => undefined, clock)
      await job.acknowledged()
      if (job.definition.action === true && job.reason !== null) throw new StartFailed(job.reason)
      return { ok: true }
    } catch (error) {
      if (isDefect(error)) logger.error({ job: order.job_name, err: error }, 'job did not start')
      throw startFailed(error)
    }
  }

  async function stopMatching(matches: StopFilter): Promise<boolean> {
    stopsMeanwhile.came(matches)
    // In this order, but no job waits for the hardware of another.
    await Promise.all(inStopOrder(running.all().filter(matches)).map((job) => job.stop(null)))
    return true
  }

  /** Nobody watches the jobs of an experiment that the unit no longer belongs to, and its pumps stand on another vial by then. */
  async function leave(left: string, now: string | null): Promise<void> {
    const isOfIt = stopFilter({ experiment: left })
    const reason =
      now === null ? 'the unit is assigned to no experiment any more' : `the unit is now assigned to ${now}`
    for (const job of running.all().filter(isOfIt)) job.log('notice', `Stopping: ${reason}.`)
    await stopMatching(isOfIt)
  }

  /** What does not start costs the others nothing. */
  async function startResidents(): Promise<void> {
    for (const { name, resident } of offered.all().map(({ definition }) => definition)) {
      if (resident === undefined || running.named(name).length > 0) continue
      try {
        const { started } = await prepare({ job_name: name })
        // Its record and its log tell.
        started.catch(() => undefined)
      } catch (error) {
        logger.error({ job: name, err: error }, 'job of the unit does not start')
      }
    }
  }

  const endCommands = await followSetCommands(context, running)
  await resumeInterrupted({ context, offered, past, resumeJobs, assignment, prepare })
  if (withResidents) await startResidents()

  return {
    name: 'jobs',
    isRunning: (name) => running.named(name).length > 0,
    config: () => readUnitConfig(context.dotPioreactor, stock),
    async perform(job, source) {
      const config = await readUnitConfig(context.dotPioreactor, stock)
      refuseSuspended()
      return begin(job, {
        jobId: ++lastJobId,
        unit,
        experiment: `_testing_${assignment.experiment() ?? NO_EXPERIMENT}`,
        source,
        params: resolveParameters(job.definition, { options: {}, args: [] }, config),
        config,
        start: { options: {}, args: [], config_overrides: [] },
      })
    },
    commands: [
      tasks.answer(runJobCommand, async (order) => {
        const heard = listen()
        try {
          await admit(order)
        } catch (error) {
          heard.release()
          throw error
        }
        return () => run(order, heard)
      }),
      tasks.answer(stopJobsCommand, (order) => {
        const matches = stopFilter(order)
        return () => stopMatching(matches)
      }),
      answer(updateJobCommand, async ({ job_name: name, settings }) => {
        const job = running.named(name).at(-1)
        if (job === undefined || job.isEnding) throw jobNotRunning(name)
        const { $state, ...others } = settings
        const state = $state === undefined ? null : parseStateCommand($state)
        const values = Object.entries(others).map(
          ([setting, value]) => [setting, job.definition.parse(setting, value)] as const,
        )
        await job.update(new Map(values))
        if (state !== null) await job.requestState(state)
        await job.acknowledged()
        return Object.fromEntries(values.map(([setting]) => [setting, job.value(setting)]))
      }),
    ],
    async suspend(reason) {
      if (suspended !== null) return
      suspended = { reason, sinceMs: clock.monotonicMs() }
      await Promise.all(running.all().map((job) => job.suspend(reason)))
    },
    async resume() {
      if (suspended === null) return
      const { reason, sinceMs } = suspended
      suspended = null
      const seconds = ((clock.monotonicMs() - sinceMs) / 1000).toFixed(1)
      const resumed = running.all().map((job) => job.resume(`${seconds} s without work, because ${reason}`))
      for (const result of await Promise.allSettled(resumed)) {
        if (result.status === 'rejected') logger.error({ err: result.reason as unknown }, 'job did not resume')
      }
    },
    async stop() {
      // An order whose configuration is being read begins nothing any more.
      suspended ??= { reason: 'the services are stopping', sinceMs: clock.monotonicMs() }
      await stopMatching(() => true)
      await tasks.stop()
      await endCommands()
      await assignment.close()
    },
  }
}

const OF_UNIT = '$experiment'
/** The number of a job that has none. */
const NOT_YET = 0
const isOfUnit = ({ ofUnit, resident }: JobDefinition): boolean => ofUnit === true || resident !== undefined

const takesArguments = ({ parameters }: JobDefinition): boolean =>
  Object.values(parameters).some(({ argument }) => argument !== undefined)
