import { setTimeout as delay } from 'node:timers/promises'
import { defineError, type LabError } from '../events/core/errors.js'
import { ipv6Groups } from './addresses.js'

export const TooManyAttempts = defineError(
  'auth.too_many_attempts',
  'input',
  'Too many wrong keys or passwords came from this address; `Retry-After` says how long to wait.',
)

/** Checks of secrets, slowed down for addresses that give wrong ones. One table for all doors. */
export interface Attempts {
  /** Runs `check`, which is null for a wrong secret, at once or when it is this address's turn. An address has five wrong attempts and
   * one more each second; right ones cost nothing. Without an address, as on a Unix socket, nothing is slowed down.
   * @throws TooManyAttempts when others of the address wait already. */
  check<T>(address: string | undefined, check: () => T | null): Promise<T | null>
}

const FREE_ATTEMPTS = 5
const INTERVAL_MS = 1000
/** Nobody waits longer than this for an answer; a few at a time may wait. */
const MAX_WAIT_MS = 3000
/** Some 100 bytes each. Who has more addresses than that is not to be stopped by counting them. */
const MAX_ADDRESSES = 10_000

/** @param now milliseconds of a clock that only goes forward, at the pace of the world. */
export function createAttempts(now: () => number = () => performance.now()): Attempts {
  /** By address: when all its wrong attempts are worked off, one each interval (generic cell rate algorithm). */
  const clearedAt = new Map<string, number>()

  const reserve = (source: string): number => {
    const time = now()
    const cleared = Math.max(clearedAt.get(source) ?? 0, time)
    const wait = cleared - time - (FREE_ATTEMPTS - 1) * INTERVAL_MS
    if (wait > MAX_WAIT_MS) throw tooManyAttempts(Math.ceil((wait - MAX_WAIT_MS) / 1000))
    clearedAt.delete(source)
    clearedAt.set(source, cleared + INTERVAL_MS)
    forgetOldest()
    return Math.max(wait, 0)
  }
  const giveBack = (source: string): void => {
    const cleared = (clearedAt.get(source) ?? 0) - INTERVAL_MS
    if (cleared > now()) clearedAt.set(source, cleared)
    else clearedAt.delete(source)
  }
  /** In the order of their last attempt. */
  const forgetOldest = (): void => {
    for (const [source, cleared] of clearedAt) {
      if (cleared > now() && clearedAt.size <= MAX_ADDRESSES) return
      clearedAt.delete(source)
    }
  }

  return {
    async check(address, check) {
      if (address === undefined) return check()
      const source = sourceOf(address)
      const wait = reserve(source)
      if (wait > 0) await delay(wait)
      const result = check()
      if (result !== null) giveBack(source)
      return result
    },
  }
}

const tooManyAttempts = (seconds: number): LabError =>
  new TooManyAttempts('Too many wrong keys or passwords came from this address.', {
    remediation: `Try again in ${seconds} s, with the right one.`,
    details: { retry_after_s: seconds },
  })

/** One household has 2^64 addresses of IPv6 (RFC 6177): they count as one. */
const sourceOf = (address: string): string =>
  address.includes(':') && !address.includes('.') ? ipv6Groups(address).slice(0, 4).join(':') : address
