import type { Clock } from './events/ports.js'
import { realTime } from './primitives/timer.js'

export interface ClockSettings {
  /** How many times as fast as real time; 1 is the machine's clock. */
  readonly speed: number
  /** Where accelerated time begins, ms UTC. */
  readonly epochMs: number
}

/** What the unit's clock says when the machine's says so, ms UTC. */
export const unitTimeMs = ({ speed, epochMs }: ClockSettings, machineMs: number): number =>
  speed === 1 ? machineMs : epochMs + (machineMs - epochMs) * speed

/** The machine's clock, or simulated time that runs `speed` times as fast from `epochMs` on.
 * Processes that share speed and epoch share the time. */
export function createClock({ speed = 1, epochMs = 0 }: Partial<ClockSettings> = {}): Clock {
  const now = (): Date => new Date(unitTimeMs({ speed, epochMs }, Date.now()))
  return {
    now,
    monotonicMs: () => realTime.monotonicMs() * speed,
    sleepUntil: (due, stop) => realTime.sleepUntil(due / speed, stop),
  }
}
