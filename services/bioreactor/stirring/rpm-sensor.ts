import type { Clock } from '../../../events/ports.js'
import { clamp, roundHalfEven } from '../../../primitives/round.js'
import { sleepS } from '../../runtime/repeat.js'
import type { Gpio } from '../../transport/hardware.js'

/** Revolutions per minute from the times of consecutive falling edges (s), one edge per revolution; 0 for fewer than two. */
export function rpmOf(edgeTimes: readonly number[]): number {
  const [first] = edgeTimes
  const last = edgeTimes.at(-1)
  const gaps = edgeTimes.length - 1
  if (first === undefined || last === undefined || gaps < 1 || last <= first) return 0
  return roundHalfEven((60 * gaps) / (last - first), 1)
}

/** How long to count, s: ten revolutions at the target, at least 1 s, at most 5 s. */
export const pollWindowS = (targetRpm: number): number => (targetRpm === 0 ? 1 : clamp(1, 10 / (targetRpm / 60), 5))

/** The Hall sensor under the stir bar. */
export interface RpmSensor {
  /** Revolutions counted so far. */
  readonly revolutions: number
  /** Speed over the next `windowS` seconds, RPM; shorter when `stop` is aborted. */
  measure(windowS: number, stop: AbortSignal): Promise<number>
  close(): Promise<void>
}

export async function openRpmSensor(gpio: Pick<Gpio, 'watchFalling'>, pin: number, clock: Clock): Promise<RpmSensor> {
  const windows = new Set<number[]>()
  let revolutions = 0
  const close = await gpio.watchFalling(pin, (timeS) => {
    revolutions++
    for (const window of windows) window.push(timeS)
  })
  return {
    get revolutions() {
      return revolutions
    },
    async measure(windowS, stop) {
      const window: number[] = []
      windows.add(window)
      await sleepS(clock, windowS, stop)
      windows.delete(window)
      return rpmOf(window)
    },
    close,
  }
}
