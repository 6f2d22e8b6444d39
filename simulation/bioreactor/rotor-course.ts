import type { Clock } from '../../events/ports.js'
import type { Random } from '../random.js'
import { isTurning, type MotorDrive, type Rotor, timeOfRevolution, turnRotor } from './stirrer.js'

/** Mechanical jitter of a Hall edge. */
const EDGE_JITTER_S = 0.0002

/** The rotor along the clock. Its speed is worked out when it is asked for; edges are told when somebody calls for them. */
export interface RotorCourse {
  readonly rpm: number
  drive(percent: number, stalled: boolean): void
  /** @param onEdge Called by `report` and before every change of the drive, with the time of an edge in s of the clock. */
  watch(onEdge: (timeS: number) => void): () => void
  report(): void
  /** Resolves once it turns and is watched, or when stopped. */
  turning(stop: AbortSignal): Promise<void>
}

export function createRotorCourse(clock: Clock, random: Random, gain: number): RotorCourse {
  const watchers = new Set<(timeS: number) => void>()
  let motor: MotorDrive = { percent: 0, gain, stalled: false }
  let rotor: Rotor = { rpm: 0, revolutions: 0 }
  let rotorMs = clock.monotonicMs()
  let wake: (() => void) | undefined

  const report = (): void => {
    const now = clock.monotonicMs()
    const dtS = (now - rotorMs) / 1000
    if (dtS <= 0) return
    const after = turnRotor(rotor, motor, dtS)
    if (watchers.size > 0) {
      for (let whole = Math.floor(rotor.revolutions) + 1; whole <= after.revolutions; whole++) {
        const timeS = rotorMs / 1000 + timeOfRevolution(rotor, motor, whole, dtS) + EDGE_JITTER_S * random.gaussian()
        for (const watcher of watchers) watcher(timeS)
      }
    }
    rotor = after
    rotorMs = now
  }
  const hasNews = (): boolean => watchers.size > 0 && isTurning(rotor, motor)
  const wakeUp = (): void => {
    if (hasNews()) wake?.()
  }

  return {
    get rpm() {
      return turnRotor(rotor, motor, (clock.monotonicMs() - rotorMs) / 1000).rpm
    },
    drive(percent, stalled) {
      if (percent === motor.percent && stalled === motor.stalled) return
      report()
      motor = { percent, gain, stalled }
      wakeUp()
    },
    watch(onEdge) {
      report()
      watchers.add(onEdge)
      wakeUp()
      return () => void watchers.delete(onEdge)
    },
    report,
    async turning(stop) {
      if (hasNews() || stop.aborted) return
      await new Promise<void>((resolve) => {
        const go = (): void => {
          wake = undefined
          stop.removeEventListener('abort', go)
          resolve()
        }
        wake = go
        stop.addEventListener('abort', go, { once: true })
      })
    },
  }
}
