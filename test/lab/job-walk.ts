import { randomUUID } from 'node:crypto'
import type { MqttClient } from 'mqtt'
import { expect } from 'vitest'
import { type Seen, watch } from '../support/event-watch.js'
import type { Lab } from '../support/start-lab.js'
import { until } from '../support/until.js'
import type { JobContract, Settable } from './job-contract.js'
import type { Form } from './payload-forms.js'

export const EXPERIMENT = 'walk 1'
export const DOORS = ['REST', 'MQTT'] as const
type Door = (typeof DOORS)[number]

interface Accepted {
  readonly result_url_path: string
}
interface Answer {
  readonly status: string
  readonly error?: unknown
}

/** A whole unit as a client meets it, which hears everything that is published. */
export class WalkedUnit {
  readonly lab: Lab
  readonly client: MqttClient
  readonly events: Awaited<ReturnType<typeof watch>>

  constructor(lab: Lab, client: MqttClient, events: Awaited<ReturnType<typeof watch>>) {
    this.lab = lab
    this.client = client
    this.events = events
  }

  /** Gives a command over MQTT, which is accepted. @returns its id */
  async order(command: string, payload: object): Promise<{ readonly id: string; readonly outcome: Outcome }> {
    const id = randomUUID()
    await this.client.publishAsync(`system/lab/commands/${command}`, JSON.stringify({ id, ...payload }), { qos: 1 })
    return { id, outcome: JSON.parse(await this.events.first(`system/lab/outcomes/${id}`)) as Outcome }
  }

  async ended({ result_url_path }: Accepted, what: string): Promise<Answer> {
    let answer: Answer = { status: 'pending' }
    await until(async () => {
      answer = await this.lab.get<Answer>(result_url_path)
      return answer.status === 'succeeded' || answer.status === 'failed'
    }, `${what} to end`)
    return answer
  }

  /** Starts a job and waits for the end of its task. */
  async start(door: Door, job_name: string, { options = {}, args = [] }: JobContract): Promise<Answer> {
    const wanted = { options, args: [...args], env: { EXPERIMENT }, config_overrides: [] }
    if (door === 'MQTT') {
      const { id, outcome } = await this.order('run_job', { job_name, ...wanted })
      // A dose without room is refused itself; there is no task.
      if (!outcome.accepted) return { status: 'failed', error: outcome.error }
      const isOver = (text: string): boolean => /"status":"(succeeded|failed)"/.test(text)
      return JSON.parse(await this.events.first(`system/lab/tasks/${id}`, isOver)) as Answer
    }
    const path = `/unit_api/jobs/run/job_name/${encodeURIComponent(job_name)}`
    // A second start within a second is one too many.
    let accepted = await this.lab.send<Accepted>('POST', path, wanted)
    await until(async () => {
      if (accepted.status === 429) accepted = await this.lab.send('POST', path, wanted)
      return accepted.status !== 429
    }, 'the debounce to be over')
    expect(accepted.status).toBe(202)
    return this.ended(accepted.body, `the task of ${job_name}`)
  }

  /** What a client that comes now is given as retained, below an experiment. */
  async retained(experiment: string): Promise<ReadonlyMap<string, string>> {
    const prefix = `pioreactor/lab/${experiment}/`
    const newcomer = await this.lab.connect()
    const mark = `mark/${randomUUID()}`
    const given = await watch(newcomer, `${prefix}#`)
    // Retained values come before what is published after them.
    await newcomer.subscribeAsync(mark)
    await newcomer.publishAsync(mark, '1', { qos: 1 })
    await until(() => given.seen.some(({ topic }) => topic === mark), 'the mark')
    await newcomer.endAsync()
    const kept = given.seen.filter(({ retain, topic }) => retain && topic.startsWith(prefix))
    return new Map(kept.map(({ topic, text }) => [topic.slice(prefix.length), text]))
  }

  /** By REST; until it has stopped. */
  async stop(job_name: string): Promise<void> {
    const { status, body } = await this.lab.send<Accepted>('POST', '/unit_api/jobs/stop', { job_name })
    expect(status).toBe(202)
    expect(await this.ended(body, `the stop of ${job_name}`)).toMatchObject({ status: 'succeeded' })
  }
}

/** A job as this walk follows it. */
export class Walk {
  readonly #unit: WalkedUnit
  readonly #from: number
  readonly #prefix: string
  readonly job: string
  readonly contract: JobContract
  readonly experiment: string

  constructor(unit: WalkedUnit, job: string, contract: JobContract, experiment = EXPERIMENT) {
    this.#unit = unit
    this.#from = unit.events.seen.length
    this.job = job
    this.contract = contract
    this.experiment = experiment
    this.#prefix = `pioreactor/lab/${experiment}/`
  }

  /** Messages since the walk began, below the experiment. */
  seen(topic: string): string[] {
    const whole = this.#prefix + topic
    return this.#all()
      .filter((message) => message.topic === whole)
      .map(({ text }) => text)
  }

  #all(): readonly Seen[] {
    return this.#unit.events.seen.slice(this.#from)
  }

  of(setting: string): string[] {
    return this.seen(`${this.job}/${setting}`)
  }

  async comes(topic: string, form: Form, timeoutMs?: number): Promise<void> {
    const fits = (): boolean => this.seen(topic).some((text) => text !== '' && form(text))
    await until(fits, () => `${topic} in its form; it came as ${this.seen(topic).slice(-3).join(' ')}`, timeoutMs)
  }

  async state(...states: readonly string[]): Promise<void> {
    const came = (): string[] => this.of('$state').slice(-states.length)
    await until(
      () => came().join() === states.join(),
      () => `$state ${states.join()}; it was ${came().join()}`,
    )
  }

  /** Orders a setting, and returns the outcome. */
  async set(setting: string, value: unknown, unit = 'lab'): Promise<Outcome> {
    const id = randomUUID()
    const topic = `pioreactor/${unit}/${this.experiment}/${this.job}/${setting}/set`
    await this.#unit.client.publishAsync(topic, JSON.stringify({ value, id }), { qos: 1 })
    return JSON.parse(
      await this.#unit.events.first(`${this.job}/${setting}/set/outcome`, (text) => text.includes(id)),
    ) as Outcome
  }

  /** Everything that the specification lists has come, in its form; nothing else has; and the broker retains what is to be retained. */
  async publishesAsListed(): Promise<void> {
    const { settings = {}, retained: kept = {}, streams = {}, event } = this.contract
    const own = Object.entries(settings).map(([setting, form]) => [`${this.job}/${setting}`, form] as const)
    for (const [topic, form] of [...own, ...Object.entries(streams)]) await this.comes(topic, form, 40_000)
    if (event !== undefined) await this.comes(`${this.job}/latest_event`, event)
    const now = await this.#unit.retained(this.experiment)
    for (const [topic, form] of [...own, ...Object.entries(kept)]) {
      expect(now.has(topic), `${topic} is retained`).toBe(true)
      expect(form(now.get(topic) ?? ''), `${topic} ${now.get(topic)}`).toBe(true)
    }
    for (const topic of Object.keys(streams)) expect(now.has(topic), `${topic} is not retained`).toBe(false)
  }

  /** Each message of the job itself is one that is listed, and has its form. */
  nothingElse(): void {
    const { settings = {}, ...elsewhere } = this.contract
    const others = { ...elsewhere.retained, ...elsewhere.streams, ...elsewhere.history }
    const prefix = `${this.#prefix}${this.job}/`
    for (const { topic, text } of this.#all()) {
      if (!topic.startsWith(prefix) || /\/set(\/outcome)?$/.test(topic)) continue
      const name = topic.slice(prefix.length)
      if (name === '$state' || EXTRAS.has(name)) continue
      const form = settings[name] ?? others[`${this.job}/${name}`]
      expect(form, `${topic} is listed`).toBeDefined()
      if (text !== '') expect(form?.(text), `${topic} ${text}`).toBe(true)
    }
  }

  async obeys(setting: string, { good, bad, partial }: Settable): Promise<void> {
    const outcome = await this.set(setting, partial === true ? JSON.parse(good) : good)
    expect(outcome, setting).toMatchObject({ accepted: true })
    // Its next step may have come between.
    if (MOVING.has(setting)) await this.comes(`${this.job}/${setting}`, () => true)
    else if (partial === true) await this.comes(`${this.job}/${setting}`, (text) => text.includes(good.slice(1, -1)))
    else await this.comes(`${this.job}/${setting}`, (text) => text === good)
    const before = this.of(setting).length
    const refuses = async ([value, limit]: readonly [string, string]): Promise<void> => {
      const { accepted, error } = await this.set(setting, value)
      expect(accepted, `${setting} ${value}`).toBe(false)
      for (const part of [setting, value, limit]) expect(error?.message, `${setting} ${value}`).toContain(part)
      expect(error?.details, `${setting} ${value}`).toMatchObject({ field: setting })
    }
    await Promise.all(Object.entries(bad).map(refuses))
    if (!MOVING.has(setting)) expect(this.of(setting).length, `${setting} has not moved`).toBe(before)
  }

  /** It has ended, and only its state stays of it. */
  async ended(): Promise<void> {
    await this.state('disconnected')
    const left = [...(await this.#unit.retained(this.experiment)).keys()].filter((topic) =>
      topic.startsWith(`${this.job}/`),
    )
    expect(left, 'what stays of a job is its state').toEqual([`${this.job}/$state`])
  }
}

interface Outcome {
  readonly accepted: boolean
  readonly error?: { readonly code: string; readonly message: string; readonly details?: unknown }
}

/** Ours, and documented as such. */
const EXTRAS = new Set(['kalman_filter_outputs', 'mean/2', 'mean/3', 'mean/4', 'warm_up', 'reading_duration'])
/** A control moves it by itself. */
const MOVING = new Set(['duty_cycle'])
