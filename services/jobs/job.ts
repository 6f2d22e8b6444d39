import { InvalidDeclaration } from '../../events/core/check-declaration.js'
import type { EventDefinition, Levels, PayloadOf } from '../../events/core/define-event.js'
import type { JobDefinition, ParametersOf, SettingsOf } from '../../events/core/define-job.js'
import type { Values } from '../../events/core/parameter.js'
import type { JobState } from '../../events/job-state.js'
import type { BusMessage, Clock, Logger } from '../../events/ports.js'
import type { UnitConfig } from '../unit-admin/config/unit-config.js'
import { JobRefused, reasonOf } from './job-errors.js'

export type LogLevel = 'debug' | 'info' | 'notice' | 'warning' | 'error' | 'critical'

/** Name of a setting. */
export type SettingOf<S> = keyof S & string

/** How one settable setting follows a command. */
export interface Setter<T> {
  /** Refuses what is valid by schema but impossible now. Moves nothing. @throws LabError */
  check?(value: T): void
  /** Acts on the hardware first and publishes the value in force. @throws LabError when the hardware did not follow. */
  apply(value: T): Promise<void> | void
}

/** A job at work. Its outputs are those it registered with `JobContext.atEnd`. */
export interface Activity<S = Values> {
  readonly setters: { readonly [K in SettingOf<S>]?: Setter<S[K]> }
  /** Called after `$state` became `ready` for the first time: measuring may begin. */
  begin?(): void
  /** Outputs safe at once, work paused. May come while `wake` or a setter is still busy, and more than once. Needs no broker. */
  sleep(): Promise<void>
  /** Goes on where `sleep` stopped. */
  wake(): Promise<void>
}

/** Publishes a declared event. What is not as declared is refused in the log.
 * @param levels what stands in its topic beside unit and experiment */
export type EmitEvent = <E extends EventDefinition>(
  event: E,
  payload: PayloadOf<E>,
  ...levels: keyof OwnLevels<E> extends never ? [] : [levels: OwnLevels<E>]
) => void

type OwnLevels<E extends EventDefinition> = Omit<Levels<E['pattern']>, 'unit' | 'experiment'>

/** What a running job sees of its surroundings. Publishing never fails and never waits: the hardware does not depend on the broker. */
export interface JobContext<S = Values> {
  readonly unit: string
  readonly experiment: string
  readonly clock: Clock
  readonly logger: Logger
  /** For what no parameter is: labels of channels, lists of entries. */
  readonly config: UnitConfig
  readonly peers: JobPeers
  readonly state: JobState
  /** Whether the broker can be reached now. */
  readonly isConnected: boolean
  /** Aborted as soon as the job begins to end. */
  readonly ending: AbortSignal
  value<K extends SettingOf<S>>(setting: K): S[K] | undefined
  /** Publishes a setting, retained; null clears it, and it cannot be set until it is published again. */
  publish<K extends SettingOf<S>>(setting: K, value: S[K] | null): void
  /** Publishes an event of this unit and experiment. */
  emit: EmitEvent
  /** Calls back with every message on the topics of a filter, in the order of the log, whoever publishes them; retained ones say so. Ends with the job.
   * Resolves once the broker has granted it. */
  follow(filter: string, listener: (message: BusMessage) => void): Promise<void>
  /** Clears a retained topic of this unit. */
  clear(topic: string): void
  /** Starts another job of the unit, which ends with this one at the latest. Resolves when it is ready.
   * @throws LabError as its start by a command does */
  startJob(name: string, options: Values, experiment: string): Promise<StartedPeer>
  /** Publishes `$state` once more, for those who ask who is there. */
  repeatState(): void
  /** A message on `logs/app/<level>`. */
  log(level: LogLevel, message: string): void
  /** Registers what makes an output safe. All run, newest first and each whatever happens to the others, at every end of the job:
   * stop, failed start, crash of the activity. Runs at once when the job is already ending. */
  atEnd(release: () => Promise<void> | void): void
  /** Puts this job to sleep by itself, as a command would. */
  pause(reason: string): void
  /** Ends this job by itself; null when its work is done, else what went wrong. */
  end(reason: string | null): void
}

/** A running job as other jobs of the unit see it, without a detour over the broker. */
export interface JobPeer {
  readonly state: JobState
  value(setting: string): unknown
  /** Puts it to sleep, its outputs safe at once. What cannot sleep now is ended. */
  pause(reason: string): void
}

/** A job that this one has begun. */
export interface StartedPeer extends JobPeer {
  /** Applies valid values in order. @throws LabError before anything moved, when one of them is refused. */
  update(values: ReadonlyMap<string, unknown>): Promise<void>
  stop(reason: null): Promise<void>
}

export interface JobPeers {
  find(jobName: string): JobPeer | undefined
  /** Called after every change of state or published setting of the job, and when it appears. Returns the function that ends it. */
  watch(jobName: string, listener: () => void): () => void
}

/** An order to start a job, not yet a task. */
export interface Admission {
  readonly options: Values
  readonly env: Readonly<Record<string, string>>
  /** What it would be started with. @throws LabError when that cannot be read */
  config(): Promise<UnitConfig>
}

/** A job that a unit offers: the declaration with its behaviour. */
export interface Job {
  readonly definition: JobDefinition
  /** Refuses an order before it becomes a task: the request itself is answered with what it throws. For what clients count on; all else is the task's failure. */
  admit?(order: Admission): Promise<void>
  /** Prepares the hardware; meanwhile the state is `init`. @param params the declared parameters, checked.
   * @throws LabError when the job cannot run; what was registered is released. */
  start(job: JobContext, params: Values): Promise<Activity>
  /** Why it never starts. It is on offer because clients look for it; what it is asked with is checked, and nothing is published. */
  readonly refusal?: string
}

/** Joins a declaration with its behaviour, typed by its parameters and settings. `defineJob` shows an example. */
export function createJob<D extends JobDefinition>(
  definition: D,
  start: (job: JobContext<SettingsOf<D>>, params: ParametersOf<D>) => Promise<Activity<SettingsOf<D>>>,
): Job {
  // Commands and options are checked against the declaration before they get here; their types are known only here.
  return { definition, start: start as unknown as Job['start'] }
}

/** A job that is listed and not built. @param reason why it does not start, and what to do instead: whole sentences */
export const createRefusedJob = (definition: JobDefinition, reason: string): Job => ({
  definition,
  refusal: reason,
  start: async () => {
    throw new JobRefused(reason)
  },
})

/** Joins the declaration of an action with what it does. The action runs once it is `ready`, and its job ends with it; when it is asked to stop, it sees
 * `job.ending` aborted. What it switches on it registers with `job.atEnd`.
 * @throws InvalidDeclaration for a job that is not declared as an action: asked to sleep, it would go on */
export function createAction<D extends JobDefinition>(
  definition: D,
  run: (job: JobContext<SettingsOf<D>>, params: ParametersOf<D>) => Promise<void>,
): Job {
  if (definition.action !== true) {
    throw new InvalidDeclaration(`Job '${definition.name}' is not declared as an action.`)
  }
  return createJob<JobDefinition>(definition, async (job, params) => ({
    setters: {},
    begin() {
      const work = (run as (job: JobContext, params: Values) => Promise<void>)(job, params)
      work.then(
        () => job.end(null),
        (error: unknown) => job.end(job.ending.aborted ? null : reasonOf(error, job.logger)),
      )
    },
    // An action cannot sleep: the runner ends it instead.
    sleep: async () => undefined,
    wake: async () => undefined,
  }))
}
