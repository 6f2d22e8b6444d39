import {
  type AutomationEvent,
  type AutomationSettings,
  automationSettingsEvent,
} from '../../events/bioreactor/automations.js'
import { pidLogEvent } from '../../events/bioreactor/outputs.js'
import type { JobDefinition } from '../../events/core/define-job.js'
import { toErrorRecord } from '../../events/core/errors.js'
import type { Values } from '../../events/core/parameter.js'
import { timestampOf } from '../../events/core/timestamp.js'
import { Alarm } from '../runtime/alarm.js'
import type { Automation, Cause } from './automation.js'
import { type Activity, createJob, type Job, type JobContext, type Setter } from './job.js'

/** What the automations of a kind work with: their eyes and hands. */
export interface AutomationPort<Seen, Want, Done> {
  /** What an automation is shown. @throws LabError when there is nothing it could decide by */
  see(): Seen | Promise<Seen>
  /** Refuses settings that are valid by their schemas, but not on this unit. @throws LabError */
  check?(settings: Values): void
  /** Does it, within the limits of the kind. Nothing moves any more once `stop` is aborted. @returns what was really done */
  carryOut(want: Want, stop: AbortSignal): Promise<Done>
  /** Calls back when there are news. Returns the function that ends it. */
  watch?(listener: () => void): () => void
  /** Outputs safe at once. */
  sleep(): Promise<void>
  wake(): Promise<void>
  /** Completes after a pause what the pause broke off, if that still makes sense. Comes before the automation is asked again. */
  goOn?(stop: AbortSignal): Promise<void>
}

/** Opens the port of a kind for one automation, whose start values it is given. Outputs are registered with `job.atEnd`. */
export type OpenPort<Seen, Want, Done> = (
  job: JobContext,
  automation: string,
  params: Values,
) => Promise<AutomationPort<Seen, Want, Done>>

/** From ready to the first run of a periodic automation, s. Source: Pioreactor 26.7. */
const FIRST_RUN_AFTER_S = 2
/** No automation is asked more often, s. Source: Pioreactor 26.7 `light_dark_cycle`. */
const SHORTEST_WAIT_S = 0.05

/** The job that runs an automation: start, pause, end, changes of its settings, its events and the history of its settings are the same for all. */
export const createAutomationJob = <Seen, Want, Done>(
  automation: Automation<Seen, Want, Done>,
  open: OpenPort<Seen, Want, Done>,
): Job =>
  createJob<JobDefinition>(automation.definition, async (job, params) => {
    const port = await open(job, automation.definition.automation, params)
    port.check?.(params)
    job.publish('automation_name', automation.definition.automation)
    return new AutomationRun(job, automation, port, params)
  })

class AutomationRun<Seen, Want, Done> implements Activity {
  readonly #job: JobContext
  readonly #automation: Automation<Seen, Want, Done>
  readonly #port: AutomationPort<Seen, Want, Done>
  #values: Values
  #memory: unknown
  #awake = true
  /** Aborted by a pause and by the end. */
  #working = new AbortController()
  #busy: Promise<void> | null = null
  /** What happened while it was busy: asked once more, whatever the number. */
  #missed: Cause | null = null
  #lastRunMs = Number.NEGATIVE_INFINITY
  readonly #period: Alarm
  readonly #again: Alarm
  #settingsSince = ''
  readonly setters: Readonly<Record<string, Setter<unknown>>>

  constructor(
    job: JobContext,
    automation: Automation<Seen, Want, Done>,
    port: AutomationPort<Seen, Want, Done>,
    params: Values,
  ) {
    this.#job = job
    this.#automation = automation
    this.#port = port
    this.#values = params
    this.#period = new Alarm(job.clock)
    this.#again = new Alarm(job.clock)
    this.#memory = automation.behaviour.memory
    const settable = Object.entries(automation.definition.own).filter(([, parameter]) => parameter.settable === true)
    for (const [name] of settable) job.publish(name, params[name])
    this.setters = Object.fromEntries(
      settable.map(([name]) => [
        name,
        {
          check: (value: unknown) => port.check?.({ ...this.#values, [name]: value }),
          apply: (value: unknown) => this.#change(name, value),
        },
      ]),
    )
  }

  begin(): void {
    const { clock } = this.#job
    const { schedule } = this.#automation.behaviour
    this.#settingsSince = timestampOf(clock.now())
    this.#job.atEnd(() => this.#tellSettings())
    this.#job.atEnd(() => {
      this.#period.cancel()
      return this.sleep()
    })
    const unwatch = this.#port.watch?.(() => void (schedule === 'on_news' && this.#ask('news')))
    if (unwatch !== undefined) this.#job.atEnd(unwatch)
    if (schedule === 'continuous') void this.#ask('start')
    if (schedule !== 'periodic') return
    const firstS = this.#values['skip_first_run'] === true ? this.#periodS : FIRST_RUN_AFTER_S
    this.#endPeriodAt(clock.monotonicMs() + firstS * 1000)
  }

  async sleep(): Promise<void> {
    this.#awake = false
    this.#working.abort()
    this.#again.cancel()
    try {
      // First: what is under way may take its time, the outputs may not.
      await this.#port.sleep()
    } finally {
      await this.#busy
    }
  }

  async wake(): Promise<void> {
    await this.#port.wake()
    this.#working = new AbortController()
    this.#awake = true
    if (this.#asksWhenWoken || this.#port.goOn !== undefined) void this.#ask('woken')
  }

  get #asksWhenWoken(): boolean {
    return this.#automation.behaviour.schedule === 'continuous'
  }

  get #periodS(): number {
    return Number(this.#values['duration']) * 60
  }

  #change(name: string, value: unknown): void {
    this.#tellSettings()
    this.#values = { ...this.#values, [name]: value }
    this.#job.publish(name, value)
    const { schedule } = this.#automation.behaviour
    if (schedule === 'continuous') void this.#ask('changed')
    // The time since the last run counts, so that a shorter period may be over already.
    if (schedule === 'periodic' && name === 'duration') this.#endPeriodAt(this.#lastRunMs + this.#periodS * 1000)
  }

  /** A period that ends during a pause is skipped. */
  #endPeriodAt(monotonicMs: number): void {
    const dueMs = Math.max(monotonicMs, this.#job.clock.monotonicMs())
    this.#period.set(dueMs, () => {
      if (this.#awake) this.#lastRunMs = dueMs
      this.#endPeriodAt(dueMs + this.#periodS * 1000)
      void this.#ask('period')
    })
  }

  /** One question at a time. What happens meanwhile is remembered once; a period that ends meanwhile is dropped. */
  async #ask(cause: Cause): Promise<void> {
    if (!this.#awake) return
    if (this.#busy !== null) {
      if (cause !== 'period') this.#missed = cause
      return
    }
    this.#busy = this.#run(cause)
    await this.#busy
    this.#busy = null
    const missed = this.#missed
    this.#missed = null
    if (missed !== null) void this.#ask(missed)
  }

  async #run(cause: Cause): Promise<void> {
    const { behaviour } = this.#automation
    const { signal } = this.#working
    try {
      if (cause === 'woken') {
        await this.#port.goOn?.(signal)
        if (signal.aborted || !this.#asksWhenWoken) return
      }
      const view = { seen: await this.#port.see(), settings: this.#values, memory: this.#memory, cause }
      const { want, memory, askAgainS, event, pid, pause } = behaviour.decide(view)
      if (memory !== undefined) this.#memory = memory
      if (askAgainS !== undefined) this.#askAgainIn(askAgainS)
      if (pid !== undefined) this.#job.emit(pidLogEvent, pid, { target_name: pid.target_name })
      if (pause !== undefined) this.#job.pause(pause)
      if (want === undefined || signal.aborted) return this.#tell(event ?? null)
      const done = await this.#port.carryOut(want, signal)
      this.#tell(behaviour.report?.(done, want, view) ?? event ?? null)
    } catch (error) {
      // What was broken off by a pause or the end is no error.
      if (!signal.aborted) this.#fail(error)
    }
  }

  #askAgainIn(seconds: number): void {
    this.#again.set(
      this.#job.clock.monotonicMs() + Math.max(seconds, SHORTEST_WAIT_S) * 1000,
      () => void this.#ask('asked'),
    )
  }

  #tell(event: AutomationEvent | null): void {
    if (event === null) return
    this.#job.publish('latest_event', event)
    this.#job.log('info', event.message ?? event.event_name)
  }

  #fail(error: unknown): void {
    const { message, family } = toErrorRecord(error)
    if (family === 'defect') this.#job.logger.error({ err: error }, 'automation failed')
    this.#job.publish('latest_event', { event_name: 'ErrorOccurred', message, data: null })
    this.#job.log(family === 'state' ? 'warning' : 'error', message)
  }

  /** The settings that were in force until now, and since when. */
  #tellSettings(): void {
    const { unit, experiment, clock, state } = this.#job
    const { kind, automation: name } = this.#automation.definition
    const now = timestampOf(clock.now())
    const settings = Object.fromEntries(Object.keys(this.setters).map((setting) => [setting, this.#values[setting]]))
    const history: AutomationSettings = {
      pioreactor_unit: unit,
      experiment,
      started_at: this.#settingsSince,
      ended_at: now,
      automation_name: name,
      settings: Buffer.from(JSON.stringify({ ...settings, state })).toString('base64'),
    }
    this.#settingsSince = now
    this.#job.emit(automationSettingsEvent, history, { kind })
  }
}
