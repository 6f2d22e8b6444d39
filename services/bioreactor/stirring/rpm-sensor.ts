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

/** From so many edges it is told how the clock of the edges differs from ours. */
const COMPARED_EDGES = 64
/** What rounding and the resolution of a clock may differ by. */
const TOLERANCE_S = 0.001

/** Edges carry the time at which they happened, of a clock of their own. A busy machine hears of them late, and one of before belongs to another speed. */
export async function openRpmSensor(gpio: Pick<Gpio, 'watchFalling'>, pin: number, clock: Clock): Promise<RpmSensor> {
  const windows = new Set<{ readonly sinceS: number; readonly edges: number[] }>()
  /** From edges to hearing of them, by the difference of both clocks; the shortest were heard of at once. */
  let latest: readonly number[] = []
  let revolutions = 0
  const close = await gpio.watchFalling(pin, (timeS) => {
    revolutions++
    latest = [...latest.slice(1 - COMPARED_EDGES), clock.monotonicMs() / 1000 - timeS]
    const happenedS = timeS + Math.min(...latest)
    for (const { sinceS, edges } of windows) if (happenedS >= sinceS - TOLERANCE_S) edges.push(timeS)
  })
  return {
    get revolutions() {
      return revolutions
    },
    async measure(windowS, stop) {
      const window = { sinceS: clock.monotonicMs() / 1000, edges: [] }
      windows.add(window)
      await sleepS(clock, windowS, stop)
      windows.delete(window)
      return rpmOf(window.edges)
    },
    close,
  }
}
