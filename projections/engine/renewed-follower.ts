import { FileIdentity } from '../../event-log/file-identity.js'
import { isDamaged, removeDatabase } from './database.js'

/** What follows the log into a derived database. */
export interface Follower {
  /** Handles the next events; 0 when there are none left. */
  step(): number
  /** Called each time everything is handled; may start what waits for that, and tell later that it failed. */
  onCaughtUp?(failed: (error: unknown) => void): void
  position(): number
  close(): void | Promise<void>
}

/** A follower whose database is made anew when it is damaged or its file is gone: all that is in it comes from the log. */
export class RenewedFollower {
  readonly #path: string
  readonly #openAt: (path: string) => Follower
  readonly #onRenewal: (reason: string) => void
  #follower: Follower
  #identity: FileIdentity

  constructor(path: string, open: (path: string) => Follower, onRenewal: (reason: string) => void) {
    this.#path = path
    this.#openAt = open
    this.#onRenewal = onRenewal
    this.#follower = this.#open()
    this.#identity = new FileIdentity(path)
  }

  step(): Promise<number> {
    return this.#unlessDamaged(() => this.#follower.step())
  }

  onCaughtUp(failed: (error: unknown) => void): Promise<void> {
    return this.#unlessDamaged(() => this.#follower.onCaughtUp?.(failed))
  }

  position(): number {
    return this.#follower.position()
  }

  async close(): Promise<void> {
    await this.#follower.close()
  }

  #open(): Follower {
    try {
      return this.#openAt(this.#path)
    } catch (error) {
      if (!isDamaged(error)) throw error
      this.#onRenewal(`it is damaged: ${error.message}`)
      removeDatabase(this.#path)
      return this.#openAt(this.#path)
    }
  }

  async #unlessDamaged<T>(work: () => T): Promise<T> {
    const change = this.#identity.change()
    if (change !== null) await this.#renew(`it was ${change}`, change === 'removed')
    try {
      return work()
    } catch (error) {
      if (!isDamaged(error)) throw error
      await this.#renew(`it is damaged: ${error.message}`, true)
      return work()
    }
  }

  async #renew(reason: string, empty: boolean): Promise<void> {
    this.#onRenewal(reason)
    await this.#follower.close()
    if (empty) removeDatabase(this.#path)
    this.#follower = this.#open()
    this.#identity = new FileIdentity(this.#path)
  }
}
