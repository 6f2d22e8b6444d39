import type { JobDefinition } from '../../events/core/define-job.js'
import type { Values } from '../../events/core/parameter.js'
import { encodeValue } from '../../events/core/values.js'
import { canTransition, type JobState } from '../../events/job-state.js'
import { type JobRecord, timestampOf } from '../../events/payloads.js'
import type { Clock, Logger, MessageBus } from '../../events/ports.js'
import type { UnitConfig } from '../unit-admin/unit-config.js'
import type { Activity, Job, JobContext, JobPeer, JobPeers, LogLevel } from './job.js'
import { badTransition, jobNotReady, reasonOf, settingUnavailable, stoppedAtStart } from './job-errors.js'
import { JobPublisher } from './job-publisher.js'

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

export interface RunJobDeps {
  readonly clock: Clock
  readonly logger: Logger
  readonly peers: JobPeers
  connectBus(options: {
    readonly name: string
    readonly will: { readonly topic: string; readonly payload: string }
  }): Promise<MessageBus>
  /** Called after every change of state or published value. */
  onChange(): void
}

/** One run of a job, from `init` to `disconnected`. It has a connection of its own whose last will is `lost`. */
export class RunningJob implements JobPeer {
  readonly definition: JobDefinition
  readonly order: JobOrder
  readonly startedAt: string
  /** Resolves once `ready`; rejects with the reason of a failed start. */
  readonly started: Promise<void>
  /** Resolves when everything is released and published. */
  readonly ended: Promise<void>
  /** Resolves when the job is ready, or its outputs are safe because it will not be. */
  readonly startSettled: Promise<void>

  readonly #deps: RunJobDeps
  readonly #publisher: JobPublisher
  readonly #releases: (() => Promise<void> | void)[] = []
  readonly #ending = new AbortController()
  /** Resolves when the outputs are safe and `disconnected` is on its way. */
  readonly #safe: Promise<void>
  #resolveSafe: () => void = () => undefined
  readonly #opened: Promise<void>
  #resolveOpened: () => void = () => undefined
  #state: JobState = 'init'
  #activity: Activity | null = null
  #reason: string | null = null
  #endedAt: string | null = null
  /** State before a suspension; null when there is none. */
  #suspendedFrom: JobState | null = null
  #transition: Promise<unknown> = Promise.resolve()
  #stopped: Promise<void> | null = null
  #resolveEnded: () => void = () => undefined

  constructor(job: Job, order: JobOrder, deps: RunJobDeps) {
    this.definition = job.definition
    this.order = order
    this.#deps = deps
    const { unit, experiment } = order
    const { clock, logger, onChange } = deps
    this.#publisher = new JobPublisher({ definition: job.definition, unit, experiment, clock, logger, onChange })
    this.startedAt = timestampOf(deps.clock.now())
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve
    })
    this.#safe = new Promise((resolve) => {
      this.#resolveSafe = resolve
    })
    this.#opened = new Promise((resolve) => {
      this.#resolveOpened = resolve
    })
    this.started = this.#start(job)
    // Those who do not wait for the start see its outcome in the state.
    this.startSettled = Promise.race([this.started.catch(() => undefined), this.#safe])
  }

  get state(): JobState {
    return this.#state
  }

  /** Whether it has its connection, and has not said its last. */
  get canAnswer(): boolean {
    return this.#publisher.isOpen
  }

  /** Waits for the connection of a job that was just asked for. @returns false when it ended before */
  async reachable(): Promise<boolean> {
    await Promise.race([this.#opened, this.ended])
    return this.canAnswer
  }

  /** Why it ended, or will; null while it runs, and when it was asked to end. */
  get reason(): string | null {
    return this.#reason
  }

  get #isAction(): boolean {
    return this.definition.action === true
  }

  get isEnding(): boolean {
    return this.#ending.signal.aborted
  }

  value(setting: string): unknown {
    return this.#publisher.value(setting)
  }

  /** Applies valid values in order. @throws LabError before anything moved, when one of them is refused. */
  update(values: ReadonlyMap<string, unknown>): Promise<void> {
    return this.#serially(async () => {
      const { name } = this.definition
      const activity = this.#activity
      if (activity === null || this.isEnding) throw jobNotReady(name, this.#state)
      const changes = [...values].map(([setting, value]) => {
        const setter = activity.setters[setting]
        if (setter === undefined || !this.#publisher.has(setting)) throw settingUnavailable(name, setting)
        setter.check?.(value)
        return { setting, value, setter }
      })
      for (const { setting, value, setter } of changes) {
        const before = this.value(setting)
        await setter.apply(value)
        this.log('info', `Updated ${setting} from ${show(before)} to ${show(this.value(setting))}.`)
      }
    })
  }

  /** Moves to `ready`, `sleeping` or `disconnected` as a command asks. @throws LabError `job.transition` when that is not possible. */
  async requestState(to: JobState): Promise<void> {
    if (to === 'disconnected') {
      void this.stop(null)
      return this.#safe
    }
    await this.#serially(async () => {
      if (to === this.#state) return
      const possible = !this.isEnding && canTransition(this.#state, to) && !(this.#isAction && to === 'sleeping')
      if (!possible) throw badTransition(this.definition.name, this.#state, to)
      if (to === 'sleeping') await this.#sleep()
      if (to === 'ready') await this.#wake()
    })
  }

  /** Outputs safe at once; an action, or a job still preparing its hardware, ends instead. Undone by `resume` only. */
  async suspend(reason: string): Promise<void> {
    if (this.isEnding || this.#suspendedFrom !== null) return
    if (this.#state === 'init' || this.#isAction) return this.stop(reason)
    this.#suspendedFrom = this.#state
    try {
      await this.#activity?.sleep()
    } catch (error) {
      // An output that does not obey is tried again by everything that makes this job safe.
      return this.stop(`${reason}, and the job could not be paused: ${reasonOf(error, this.#deps.logger)}`)
    }
    await this.#serially(async () => {
      if (this.isEnding || this.#state !== 'ready') return
      this.#enter('sleeping')
      this.log('warning', `Paused: ${reason}.`)
    })
  }

  /** A job that was ready when it was suspended goes on. @param gap what happened in between, for the log. */
  async resume(gap: string): Promise<void> {
    const from = this.#suspendedFrom
    this.#suspendedFrom = null
    if (from !== 'ready') return
    await this.#serially(async () => {
      if (this.isEnding || this.#state !== 'sleeping') return
      await this.#wake()
      this.log('warning', `Resumed after a gap: ${gap}.`)
    })
  }

  /** Sleeps because the activity wants to. Outputs that do not obey are tried again at the end. */
  async #pauseItself(reason: string): Promise<void> {
    try {
      await this.requestState('sleeping')
      this.log('warning', `Paused: ${reason}.`)
    } catch (error) {
      if (!this.isEnding)
        await this.stop(`${reason}, and the job could not be paused: ${reasonOf(error, this.#deps.logger)}`)
    }
  }

  /** Outputs safe, then everything published and the connection closed. Never throws.
   * @param reason why, when nobody asked for it. */
  stop(reason: string | null): Promise<void> {
    this.#stopped ??= this.#stop(reason)
    return this.#stopped
  }

  log(level: LogLevel, message: string): void {
    this.#publisher.log(level, message)
  }

  async #start(job: Job): Promise<void> {
    const { name } = this.definition
    const { unit, experiment, params } = this.order
    try {
      const will = { topic: this.definition.topic(unit, experiment, '$state'), payload: 'lost' }
      const bus = await this.#deps.connectBus({ name, will })
      this.#publisher.open(bus)
      this.#enter('init')
      this.#resolveOpened()
      await bus.subscribe(will.topic, ({ payload }) => {
        if (payload.toString() === 'lost') this.#reassertState()
      })
      this.#refuseEnding()
      // Nothing is awaited between the hardware being ready and the job being so.
      this.#activity = await job.start(this.#context(), params)
      this.#refuseEnding()
      this.#watchConnection(bus)
      this.#enter('ready')
      this.log('info', 'Ready.')
      this.#activity.begin?.()
    } catch (thrown) {
      // Whatever was waited for when the stop came has been broken off by it.
      const brokenOff = this.isEnding && thrown instanceof Error && thrown.name === 'AbortError'
      const error = brokenOff ? stoppedAtStart(name) : thrown
      await this.stop(this.#reason ?? reasonOf(error, this.#deps.logger))
      throw error
    }
  }

  #refuseEnding(): void {
    if (this.isEnding) throw stoppedAtStart(this.definition.name)
  }

  async #stop(reason: string | null): Promise<void> {
    this.#reason ??= reason
    this.#ending.abort()
    if (reason !== null) this.log('error', `Stopping: ${reason}`)
    await this.#release()
    this.#endedAt = timestampOf(this.#deps.clock.now())
    this.#enter('disconnected')
    this.#publisher.clear()
    this.#resolveSafe()
    await this.#publisher.close()
    this.#resolveEnded()
    this.#deps.onChange()
  }

  async #release(): Promise<void> {
    for (let release = this.#releases.pop(); release !== undefined; release = this.#releases.pop()) {
      try {
        await release()
      } catch (error) {
        this.log('error', `An output may not be safe: ${reasonOf(error, this.#deps.logger)}`)
      }
    }
  }

  async #sleep(): Promise<void> {
    await this.#activity?.sleep()
    this.#enter('sleeping')
  }

  async #wake(): Promise<void> {
    const { name } = this.definition
    if (this.#suspendedFrom !== null) throw jobNotReady(name, this.#state)
    try {
      await this.#activity?.wake()
      // A stop or a suspension that came while the hardware woke up counts more than the command.
      if (this.isEnding || this.#suspendedFrom !== null) throw jobNotReady(name, this.#state)
    } catch (error) {
      await this.#activity?.sleep()
      throw error
    }
    this.#enter('ready')
  }

  #enter(state: JobState): void {
    this.#state = state
    this.#deps.logger.debug({ state }, 'job state')
    this.#publisher.announce(this.record(), state)
    this.#deps.onChange()
  }

  /** The row of the jobs table. */
  record(): JobRecord {
    const { jobId, unit, experiment, source, config, start } = this.order
    return {
      job_id: jobId,
      unit,
      experiment,
      job_name: this.definition.name,
      job_source: source,
      started_at: this.startedAt,
      ended_at: this.#endedAt,
      is_running: this.#endedAt === null,
      leader: config.find('cluster.topology', 'leader_hostname') ?? '',
      pid: process.pid,
      is_long_running_job: this.definition.longRunning === true,
      state: this.#state,
      start,
      reason: this.#reason,
    }
  }

  /** Everything known again, because the broker may have announced us lost, or may be a new one. */
  #watchConnection(bus: MessageBus): void {
    let connected = true
    this.#releases.unshift(
      bus.onConnection((now) => {
        const back = now && !connected
        connected = now
        if (!back || this.isEnding) return
        this.#enter(this.#state)
        this.#publisher.repeat()
      }),
    )
  }

  /** Corrects a `$state` that claims we are gone. */
  #reassertState(): void {
    if (!this.isEnding) this.#publisher.announceState(this.#state)
  }

  /** Publishes a command's answer as soon as it is known; an ending job waits for it. */
  answer(topic: string, payload: Promise<string>): void {
    this.#publisher.answer(topic, payload)
  }

  #serially<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#transition.then(work)
    this.#transition = result.catch(() => undefined)
    return result
  }

  #context(): JobContext {
    const job = this
    return {
      unit: this.order.unit,
      experiment: this.order.experiment,
      clock: this.#deps.clock,
      logger: this.#deps.logger,
      config: this.order.config,
      peers: this.#deps.peers,
      ending: this.#ending.signal,
      get state() {
        return job.#state
      },
      value: (setting) => job.value(setting),
      publish: (setting, value) => job.#publisher.publish(setting, value),
      emit: (path, payload, options) => job.#publisher.emit(path, payload, options),
      log: (level, message) => job.log(level, message),
      atEnd(release) {
        job.#releases.push(release)
        if (job.isEnding) void job.#release()
      },
      pause: (reason) => void job.#pauseItself(reason),
      end: (reason) => void job.stop(reason),
    }
  }
}

const show = (value: unknown): string => (value === undefined ? 'nothing' : encodeValue(value).slice(0, 40))
