import type { PagingEventLogReader } from '../event-log/reader.js'
import type { Alarm } from '../primitives/alarm.js'
import { realTime } from '../primitives/timer.js'
import { LiveJobs } from './live-jobs.js'
import type { Peer } from './peer.js'
import { connectPeer } from './peer-connection.js'

export interface WillsOptions {
  readonly peer: Peer
  readonly unit: string
  readonly ownPort: number
  /** Whether the peer can be reached: nothing is tried before. */
  readonly isConnected: () => boolean
  /** Tells the peer a retained value once more. */
  readonly sayAgain: (topic: string, payload: string) => void
}

/** More jobs than a unit has; a broker need not bear more connections. */
const MOST_WILLS = 64
/** A job that sees itself `lost` says how it is a second later (specification of the jobs' states). */
const CORRECT_MS = 1000
const FIRST_PAUSE_MS = 500
const LONGEST_PAUSE_MS = 30_000
const POLL_MS = 1000
const LOST = 'lost'

/** A last will at the peer for each job that lives: a connection has one only, so that each job has a connection. It is made when the job begins and
 * ended when it ends; when it breaks, the peer says that the job is lost, and is told otherwise if it is not. */
export class Wills {
  readonly #jobs: LiveJobs
  readonly #options: WillsOptions
  readonly #kept = new Map<string, { readonly end: AbortController; readonly ended: Promise<void> }>()

  constructor(reader: PagingEventLogReader, options: WillsOptions) {
    this.#jobs = new LiveJobs(reader, options.unit)
    this.#options = options
  }

  /** Follows the jobs until it is stopped; then every will is taken back. */
  async run(alarm: Alarm, stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      const isBehind = this.#jobs.update()
      if (isBehind) {
        await new Promise(setImmediate)
        continue
      }
      this.#follow()
      await alarm.wait(0, POLL_MS)
    }
    const kept = [...this.#kept.values()]
    for (const { end } of kept) end.abort()
    await Promise.all(kept.map(({ ended }) => ended))
  }

  #follow(): void {
    const states = this.#jobs.states()
    for (const [topic, { end }] of this.#kept) if (!states.has(topic)) end.abort()
    for (const topic of states.keys()) {
      if (this.#kept.has(topic) || this.#kept.size >= MOST_WILLS) continue
      const end = new AbortController()
      const ended = this.#keep(topic, end.signal).finally(() => this.#kept.delete(topic))
      this.#kept.set(topic, { end, ended })
    }
  }

  /** Holds the will of one job until its end. */
  async #keep(topic: string, end: AbortSignal): Promise<void> {
    let pauseMs = FIRST_PAUSE_MS
    while (!end.aborted) {
      if (this.#options.isConnected()) {
        const held = await this.#hold(topic, end).catch(() => false)
        pauseMs = held ? FIRST_PAUSE_MS : Math.min(2 * pauseMs, LONGEST_PAUSE_MS)
      }
      await realTime.sleepUntil(realTime.monotonicMs() + pauseMs, end)
    }
  }

  /** One connection. @returns true: there was one */
  async #hold(topic: string, end: AbortSignal): Promise<boolean> {
    const { peer, ownPort } = this.#options
    // The same at each connection: a broker that has not noticed the end of the one before ends it now, and its will comes at once.
    const clientId = `benchlog-${topic.split('/').slice(1, 4).join('-')}`
    const connection = await connectPeer({ peer, ownPort, clientId, will: { topic, payload: LOST } })
    let correction: NodeJS.Timeout | undefined
    await connection.subscribe([topic], ({ payload }) => {
      if (payload.toString() !== LOST) return
      clearTimeout(correction)
      correction = setTimeout(() => this.#correct(topic), CORRECT_MS)
    })
    const aborted = new Promise<void>((resolve) => {
      if (end.aborted) resolve()
      end.addEventListener('abort', () => resolve(), { once: true })
    })
    await Promise.race([aborted, connection.ended])
    clearTimeout(correction)
    if (end.aborted) await connection.leave()
    return true
  }

  #correct(topic: string): void {
    const state = this.#jobs.states().get(topic)
    if (state !== undefined) this.#options.sayAgain(topic, state)
  }
}
