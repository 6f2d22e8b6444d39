import { type LogMessage, logEvent } from '../../events/bioreactor/logs.js'
import type { EventDefinition, PayloadOf } from '../../events/core/define-event.js'
import type { JobDefinition } from '../../events/core/define-job.js'
import { timestampOf } from '../../events/core/timestamp.js'
import { encodeValue } from '../../events/core/values.js'
import type { JobState } from '../../events/job-state.js'
import type { Clock, Logger, MessageBus } from '../../events/ports.js'
import { violations } from '../../events/schema.js'
import { type JobRecord, jobEvent } from '../../events/system/jobs.js'
import { PublishQueue } from '../runtime/publish-queue.js'
import type { EmitEvent, LogLevel } from './job.js'
import { reasonOf } from './job-errors.js'

/** How long the last messages of an ending job may take; then the connection is closed without them. */
const FLUSH_TIMEOUT_MS = 1500

export interface JobPublisherOptions {
  readonly definition: JobDefinition
  readonly unit: string
  readonly experiment: string
  readonly clock: Clock
  readonly logger: Logger
  /** Called after every change of a published value. */
  readonly onChange: () => void
}

/** Publishes a job's state, settings, log messages and answers. Nothing waits and nothing fails here; before there is a connection nothing
 * is published. */
export class JobPublisher {
  readonly #options: JobPublisherOptions
  readonly #values = new Map<string, unknown>()
  readonly #answers = new Set<Promise<unknown>>()
  #bus: MessageBus | null = null
  #closing = false
  #queue: PublishQueue | null = null

  constructor(options: JobPublisherOptions) {
    this.#options = options
  }

  /** Whether what is published now still gets out. */
  get isOpen(): boolean {
    return this.#bus !== null && !this.#closing
  }

  /** Publishes through this connection from now on. */
  open(bus: MessageBus): void {
    this.#bus = bus
    this.#queue = new PublishQueue(bus, this.#options.logger)
  }

  /** Published value of a setting; undefined when the job does not offer it at present. */
  value(setting: string): unknown {
    return this.#values.get(setting)
  }

  has(setting: string): boolean {
    return this.#values.has(setting)
  }

  /** Publishes a setting, retained; null clears it. A value that is not as declared is refused in the log. */
  publish(setting: string, value: unknown): void {
    if (value === null || value === undefined) {
      if (this.#values.delete(setting)) this.#push(setting, '')
    } else {
      const spec = this.#options.definition.settings[setting]
      const [wrong] =
        spec === undefined ? [{ message: `${setting} is not declared.` }] : violations(spec.schema, value, setting)
      if (wrong !== undefined) {
        this.log('error', `Not published: ${wrong.message}`)
        return
      }
      this.#values.set(setting, value)
      this.#push(setting, encodeValue(value))
    }
    this.#options.onChange()
  }

  /** Publishes an event of this unit and experiment. One that is not as declared is refused in the log. */
  readonly emit: EmitEvent = (event, payload, ...[levels]) => {
    const { unit, experiment } = this.#options
    try {
      this.#send(event, event.topic({ unit, experiment, ...levels }), payload)
    } catch (error) {
      this.log('error', `Not published: ${reasonOf(error, this.#options.logger)}`)
    }
  }

  log(level: LogLevel, message: string): void {
    const { definition, clock, logger } = this.#options
    // Normal operation is in the events; the terminal shows only what goes wrong.
    const text = level === 'warning' ? 'warn' : level === 'notice' || level === 'info' ? 'debug' : level
    logger[text === 'critical' ? 'error' : text]({ detail: message }, 'job message')
    const log: LogMessage = {
      source: 'app',
      task: definition.name,
      message,
      level: level.toUpperCase(),
      timestamp: timestampOf(clock.now()),
    }
    const { unit, experiment } = this.#options
    this.#send(logEvent, logEvent.topic({ unit, experiment, source: log.source, level }), log)
  }

  /** The row of the jobs table, then the state. */
  announce(record: JobRecord, state: JobState): void {
    this.#send(jobEvent, jobEvent.topic({ unit: this.#options.unit, job_id: record.job_id }), record)
    this.announceState(state)
  }

  announceState(state: JobState): void {
    this.#push('$state', state)
  }

  /** Answers a command as soon as the answer is known. */
  answer(topic: string, payload: Promise<string>): void {
    const answered = payload
      .then((text) => this.#queue?.push(topic, text, false))
      .catch((error: unknown) => this.#options.logger.error({ topic, err: error }, 'command not answered'))
      .finally(() => this.#answers.delete(answered))
    this.#answers.add(answered)
  }

  /** Publishes every setting again, and reports how many messages were lost. */
  repeat(): void {
    const lost = this.#queue?.takeGivenUp() ?? 0
    if (lost > 0) this.log('error', `${lost} messages were lost while the broker was away.`)
    for (const [setting, value] of this.#values) this.#push(setting, encodeValue(value))
  }

  clearTopic(topic: string): void {
    this.#queue?.push(topic, '', true)
  }

  /** Clears the settings that do not outlive the job. */
  clear(): void {
    for (const [setting, declared] of Object.entries(this.#options.definition.settings)) {
      if (declared.persist !== true) this.publish(setting, null)
    }
  }

  /** Resolves when everything published so far is on disk, as far as that can be waited for. */
  async acknowledged(): Promise<void> {
    await this.#queue?.acknowledged(FLUSH_TIMEOUT_MS)
  }

  /** Sends what is left and closes the connection. */
  async close(): Promise<void> {
    this.#closing = true
    await this.#queue?.drain(FLUSH_TIMEOUT_MS, Promise.allSettled(this.#answers))
    await this.#bus?.close().catch((error: unknown) => {
      this.#options.logger.debug({ err: error }, 'connection did not close cleanly')
    })
  }

  #send<E extends EventDefinition>(event: E, topic: string, payload: PayloadOf<E>): void {
    this.#queue?.push(topic, event.encode(payload), event.retained)
  }

  #push(setting: string, text: string): void {
    const { definition, unit, experiment } = this.#options
    this.#queue?.push(definition.topic(unit, experiment, setting), text, true)
  }
}
