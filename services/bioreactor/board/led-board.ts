import { ledChangeEvent, ledsEvent } from '../../../events/bioreactor/outputs.js'
import { toErrorRecord } from '../../../events/core/errors.js'
import { timestampOf } from '../../../events/core/timestamp.js'
import type { Clock } from '../../../events/ports.js'
import { type RetryOptions, retry } from '../../../primitives/retry.js'
import { createSerialQueue, type SerialQueue } from '../../../primitives/serial-queue.js'
import type { JobContext } from '../../jobs/job.js'
import { LED_CHANNELS, type LedChannel, type LedOutputs } from './board.js'
import type { TellOutputs } from './pwm-board.js'

export type LedLevels = Readonly<Partial<Record<LedChannel, number>>>
/** Channels kept for one user. */
export interface LedLock {
  readonly channels: readonly LedChannel[]
}
type LedUser = Pick<JobContext, 'emit' | 'log' | 'experiment'>

/** What the watchdog found of the LEDs that did not follow. */
export interface LedsEnforced {
  /** Dark by now. */
  readonly darkened: readonly LedChannel[]
  /** Those that still do not follow, with the reason. */
  readonly deaf: readonly string[]
}

const DARK: LedLevels = { A: 0, B: 0, C: 0, D: 0 }

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
  readonly #tell: TellOutputs
  readonly #locks = new Map<LedChannel, LedLock>()
  /** What jobs want of each, whatever a reading does with it meanwhile; noted before the hardware follows. */
  readonly #wanted: Record<LedChannel, number>
  /** Put out while they were locked: they stay dark when they are given back. */
  readonly #putOut = new Set<LedChannel>()
  /** Those whose last write failed, with the experiment it was for: nobody knows whether they shine. */
  readonly #doubtful = new Map<LedChannel, string>()
  /** By channel, so that a write that hangs holds up no other LED. */
  readonly #serially: Readonly<Record<LedChannel, SerialQueue>> = {
    A: createSerialQueue(),
    B: createSerialQueue(),
    C: createSerialQueue(),
    D: createSerialQueue(),
  }

  /** @param tell publishes what becomes of LEDs whose job is gone */
  constructor(outputs: LedOutputs, clock: Clock, tell: TellOutputs = () => undefined) {
    this.#outputs = outputs
    this.#clock = clock
    this.#tell = tell
    this.#wanted = { ...outputs.state }
  }

  /** %; what is restored after a reading. */
  get wanted(): Readonly<Record<LedChannel, number>> {
    return this.#wanted
  }

  get state(): Readonly<Record<LedChannel, number>> {
    return this.#outputs.state
  }

  /** Whether another user holds the channel: what is written to it now would be undone. */
  isLocked(channel: LedChannel): boolean {
    return this.#locks.has(channel)
  }

  /** Sets channels, % each, except those that another user has locked. Each is tried, whatever becomes of the others. What somebody else
   * wants of a channel meanwhile counts more. @param lock whose holder borrows the channels, so that they are wanted as before.
   * @param source announces each change as an event of this origin.
   * @returns false when a locked channel was left alone. @throws LabError when the hardware does not follow. */
  async set(levels: LedLevels, user: LedUser, source?: string, lock?: LedLock): Promise<boolean> {
    let complete = true
    const failures: unknown[] = []
    if (lock === undefined)
      this.#want(
        LED_CHANNELS.filter((channel) => !this.#locks.has(channel)),
        levels,
      )
    for (const channel of LED_CHANNELS) {
      const wanted = levels[channel]
      if (wanted === undefined) continue
      const holder = this.#locks.get(channel)
      if (holder !== undefined && holder !== lock) {
        complete = false
        continue
      }
      if (lock === undefined && this.#wanted[channel] !== wanted) continue
      const intensity = holder !== undefined && this.#putOut.has(channel) ? 0 : wanted
      try {
        await this.#write(channel, intensity, user)
      } catch (error) {
        failures.push(error)
        continue
      }
      if (source === undefined) continue
      const timestamp = timestampOf(this.#clock.now())
      user.emit(ledChangeEvent, { channel, intensity, source_of_event: source, timestamp })
    }
    user.emit(ledsEvent, this.state)
    if (failures.length > 0) throw failures[0]
    return complete
  }

  /** Puts LEDs out although another user has locked them; they stay dark when they are given back. @throws LabError when the hardware does not follow. */
  async putOut(channels: readonly LedChannel[], user: LedUser, source?: string): Promise<void> {
    for (const channel of channels) if (this.#locks.has(channel)) this.#putOut.add(channel)
    this.#want(channels, DARK)
    for (const lock of new Set(channels.map((channel) => this.#locks.get(channel)))) {
      const own = channels.filter((channel) => this.#locks.get(channel) === lock)
      await this.set(Object.fromEntries(own.map((channel) => [channel, 0])), user, source, lock)
    }
  }

  /** Tries those again that did not follow their last write: what nobody knows of is to be dark. Never throws. */
  async enforce(): Promise<LedsEnforced> {
    const darkened: LedChannel[] = []
    const deaf: string[] = []
    for (const [channel, experiment] of [...this.#doubtful]) {
      try {
        await this.#serially[channel](async () => {
          if (!this.#doubtful.has(channel)) return
          await this.#outputs.set(channel, 0)
          this.#doubtful.delete(channel)
          this.#want([channel], DARK)
          darkened.push(channel)
          this.#tell(experiment, ledsEvent, this.state)
        })
      } catch (error) {
        deaf.push(`LED ${channel}: ${toErrorRecord(error).message}`)
      }
    }
    return { darkened, deaf }
  }

  /** Locks those channels that are free, until they are unlocked. */
  lock(channels: readonly LedChannel[]): LedLock {
    const lock: LedLock = Object.freeze({ channels })
    for (const channel of channels) if (!this.#locks.has(channel)) this.#locks.set(channel, lock)
    return lock
  }

  unlock(lock: LedLock): void {
    for (const [channel, holder] of this.#locks) {
      if (holder !== lock) continue
      this.#locks.delete(channel)
      this.#putOut.delete(channel)
    }
  }

  /** Everything dark, locked or not. */
  async allOff(user: LedUser, source: string): Promise<void> {
    this.#locks.clear()
    this.#putOut.clear()
    await this.set(DARK, user, source)
  }

  #want(channels: readonly LedChannel[], levels: LedLevels): void {
    for (const channel of channels) this.#wanted[channel] = levels[channel] ?? this.#wanted[channel]
  }

  #write(channel: LedChannel, intensity: number, { experiment }: LedUser): Promise<void> {
    const write = (): Promise<void> =>
      this.#serially[channel](async () => {
        this.#doubtful.set(channel, experiment)
        await this.#outputs.set(channel, intensity)
        this.#doubtful.delete(channel)
      })
    return intensity > 0 ? write() : retry({ ...OFF_RETRIES, timer: this.#clock }, write)
  }
}
