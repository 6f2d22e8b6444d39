import type { JobDefinition } from '../../events/core/define-job.js'
import { timestampOf } from '../../events/core/timestamp.js'
import { canTransition, type JobState } from '../../events/job-state.js'
import type { MessageBus } from '../../events/ports.js'
import { createSerialQueue } from '../../primitives/serial-queue.js'
import { createDeferred } from '../runtime/deferred.js'
import { applySettings } from './apply-settings.js'
import type { Activity, Job, JobContext, JobPeer, LogLevel } from './job.js'
import { createJobContext } from './job-context.js'
import { badTransition, jobNotReady, reasonOf, stoppedAtStart } from './job-errors.js'
import { type JobOrder, jobRecord, type RunningJobDeps } from './job-order.js'
import { JobPublisher } from './job-publisher.js'
import { Releases } from './releases.js'

/** A job from `init` to `disconnected`. It has a connection of its own whose last will is `lost`. */
export class RunningJob implements JobPeer {
  readonly definition: JobDefinition
  readonly order: JobOrder
  /** Resolves once `ready`; rejects with the reason of a failed start. */
  readonly started: Promise<void>
  /** Resolves when the job is ready, or its outputs are safe because it will not be. */
  readonly startSettled: Promise<void>

  readonly #deps: RunningJobDeps
  readonly #isAction: boolean
  readonly #publisher: JobPublisher
  readonly #releases = new Releases((error) =>
    this.log('error', `An output may not be safe: ${reasonOf(error, this.#deps.logger)}`),
  )
  readonly #ending = new AbortController()
  readonly #startedAt: string
  readonly #opened = createDeferred()
  /** Resolved when the outputs are safe and `disconnected` is on its way. */
  readonly #safe = createDeferred()
  readonly #ended = createDeferred()
  #state: JobState = 'init'
  #activity: Activity | null = null
  #reason: string | null = null
  #endedAt: string | null = null
  /** State before a suspension; null when there is none. */
  #suspendedFrom: JobState | null = null
  readonly #serially = createSerialQueue()
  #stopped: Promise<void> | null = null

  constructor(job: Job, order: JobOrder, deps: RunningJobDeps) {
    this.definition = job.definition
    this.order = order
    this.#deps = deps
    this.#isAction = job.definition.action === true
    const { unit, experiment } = order
    const { clock, logger, onChange } = deps
    this.#publisher = new JobPublisher({ definition: job.definition, unit, experiment, clock, logger, onChange })
    this.#startedAt = timestampOf(deps.clock.now())
    this.started = this.#start(job)
    // Those who do not wait for the start see its outcome in the state.
    this.startSettled = Promise.race([this.started.catch(() => undefined), this.#safe.promise])
  }

  get state(): JobState {
    return this.#state
  }

  /** Resolves when everything is released and published. */
  get ended(): Promise<void> {
    return this.#ended.promise
  }

  /** Whether it has its connection, and has not said its last. */
  get canAnswer(): boolean {
    return this.#publisher.isOpen
  }

  /** Waits for the connection of a job that was just asked for. @returns false when it ended before */
  async reachable(): Promise<boolean> {
    await Promise.race([this.#opened.promise, this.ended])
    return this.canAnswer
  }

  /** Why it ended, or will; null while it runs, and when it was asked to end. */
  get reason(): string | null {
    return this.#reason
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
      if (this.#activity === null || this.isEnding) throw jobNotReady(name, this.#state)
      await applySettings(name, this.#activity, this.#publisher, values)
    })
  }

  /** Moves to `ready`, `sleeping` or `disconnected` as a command asks. @throws BadTransition when that is not possible. */
  async requestState(to: JobState): Promise<void> {
    const { name, resident } = this.definition
    if (resident === 'always' && to !== 'ready') throw badTransition(name, this.#state, to)
    if (to === 'disconnected') {
      void this.stop(null)
      return this.#safe.promise
    }
    // Whoever is to sleep is not woken because the suspension is over.
    if (to === 'sleeping' && this.#suspendedFrom !== null) this.#suspendedFrom = 'sleeping'
    await this.#serially(async () => {
      if (to === this.#state) return
      const possible = !this.isEnding && canTransition(this.#state, to) && !(this.#isAction && to === 'sleeping')
      if (!possible) throw badTransition(name, this.#state, to)
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

  /** Sleeps because its activity, or that of a peer, wants it to. Outputs that do not obey are tried again at the end. */
  pause(reason: string): void {
    void this.#pause(reason)
  }

  async #pause(reason: string): Promise<void> {
    try {
      await this.requestState('sleeping')
      this.log('warning', `Paused: ${reason}.`)
    } catch (error) {
      if (!this.isEnding)
        await this.stop(`${reason}, and the job could not be paused: ${reasonOf(error, this.#deps.logger)}`)
    }
  }

  /** Resolves when what the job has published so far can be read by others: an outcome that goes another way must not come before it. */
  acknowledged(): Promise<void> {
    return this.#publisher.acknowledged()
  }

  /** Outputs safe, then everything published and the connection closed. Never throws.
   * @param reason why, unless it was asked for. */
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
      this.#opened.resolve()
      await bus.subscribe(will.topic, ({ payload }) => {
        if (payload.toString() === 'lost') this.reassertState()
      })
      this.#refuseEnding()
      // Nothing is awaited between the hardware being ready and the job being so.
      this.#activity = await job.start(this.#context(bus), params)
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
    await this.#releases.run()
    this.#endedAt = timestampOf(this.#deps.clock.now())
    this.#enter('disconnected')
    this.#publisher.clear()
    this.#safe.resolve()
    await this.#publisher.close()
    this.#ended.resolve()
    this.#deps.onChange()
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
    const progress = { state, startedAt: this.#startedAt, endedAt: this.#endedAt, reason: this.#reason }
    this.#publisher.announce(jobRecord(this.definition, this.order, progress), state)
    this.#deps.onChange()
  }

  /** Everything known again, because the broker may have announced us lost, or may be a new one. */
  #watchConnection(bus: MessageBus): void {
    let connected = true
    this.#releases.addLast(
      bus.onConnection((now) => {
        const back = now && !connected
        connected = now
        if (!back || this.isEnding) return
        this.#enter(this.#state)
        this.#publisher.repeat()
      }),
    )
  }

  /** Corrects a `$state` that claims this job is gone. */
  reassertState(): void {
    if (!this.isEnding) this.#publisher.announceState(this.#state)
  }

  /** Publishes a command's answer as soon as it is known; an ending job waits for it. */
  answer(topic: string, payload: Promise<string>): void {
    this.#publisher.answer(topic, payload)
  }

  #context(bus: MessageBus): JobContext {
    return createJobContext({
      bus,
      order: this.order,
      deps: this.#deps,
      publisher: this.#publisher,
      releases: this.#releases,
      ending: this.#ending.signal,
      repeatState: () => this.reassertState(),
      state: () => this.#state,
      pause: (reason) => this.pause(reason),
      end: (reason) => void this.stop(reason),
    })
  }
}
