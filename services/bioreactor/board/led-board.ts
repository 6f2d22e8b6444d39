import { ledChangeEvent, ledsEvent } from '../../../events/bioreactor/outputs.js'
import { toErrorRecord } from '../../../events/core/errors.js'
import { timestampOf } from '../../../events/core/timestamp.js'
import type { Clock } from '../../../events/ports.js'
import { type RetryOptions, retry } from '../../../primitives/retry.js'
import type { JobContext } from '../../jobs/job.js'
import { LED_CHANNELS, type LedChannel, type LedOutputs } from './board.js'

export type LedLevels = Readonly<Partial<Record<LedChannel, number>>>
/** Channels kept for one user. */
export interface LedLock {
  readonly channels: readonly LedChannel[]
}
type LedUser = Pick<JobContext, 'emit' | 'log'>

/** Switching off is tried so often before it counts as failed. Source: Pioreactor's LED retries. */
const OFF_RETRIES: RetryOptions = {
  attempts: 6,
  pauseMs: 500,
  isWorthAnother: (error) => toErrorRecord(error).family === 'hardware',
}

/** The LEDs of one unit. A locked channel is left alone; every change is published as the complete state. */
export class LedBoard {
  readonly #outputs: LedOutputs
  readonly #clock: Clock
  readonly #locks = new Map<LedChannel, LedLock>()

  constructor(outputs: LedOutputs, clock: Clock) {
    this.#outputs = outputs
    this.#clock = clock
  }

  get state(): Readonly<Record<LedChannel, number>> {
    return this.#outputs.state
  }

  /** Whether another user holds the channel: what is written to it now would be undone. */
  isLocked(channel: LedChannel): boolean {
    return this.#locks.has(channel)
  }

  /** Sets channels, % each, except those that another user has locked. @param source announces each change as an event of this origin.
   * @returns false when a locked channel was left alone. @throws LabError when the hardware does not follow. */
  async set(levels: LedLevels, user: LedUser, source?: string, lock?: LedLock): Promise<boolean> {
    let complete = true
    for (const channel of LED_CHANNELS) {
      const intensity = levels[channel]
      if (intensity === undefined) continue
      const holder = this.#locks.get(channel)
      const free = holder === undefined || holder === lock
      if (free) await this.#write(channel, intensity)
      else complete = false
      if (source !== undefined && free) {
        const timestamp = timestampOf(this.#clock.now())
        user.emit(ledChangeEvent, { channel, intensity, source_of_event: source, timestamp })
      }
    }
    user.emit(ledsEvent, this.state)
    return complete
  }

  /** Locks those channels that are free, until they are unlocked. */
  lock(channels: readonly LedChannel[]): LedLock {
    const lock: LedLock = Object.freeze({ channels })
    for (const channel of channels) if (!this.#locks.has(channel)) this.#locks.set(channel, lock)
    return lock
  }

  unlock(lock: LedLock): void {
    for (const [channel, holder] of this.#locks) if (holder === lock) this.#locks.delete(channel)
  }

  /** Everything dark, locked or not. */
  async allOff(user: LedUser, source: string): Promise<void> {
    this.#locks.clear()
    await this.set({ A: 0, B: 0, C: 0, D: 0 }, user, source)
  }

  #write(channel: LedChannel, intensity: number): Promise<void> {
    const write = (): Promise<void> => this.#outputs.set(channel, intensity)
    return intensity > 0 ? write() : retry({ ...OFF_RETRIES, timer: this.#clock }, write)
  }
}
