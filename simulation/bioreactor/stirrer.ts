/** The fan motor with a magnet and the bar it drags along: torque against friction, solved exactly for a steady duty cycle. */

export interface Rotor {
  readonly rpm: number
  /** Since the beginning; a Hall edge at every whole number. */
  readonly revolutions: number
}

export interface MotorDrive {
  /** Duty cycle, %. */
  readonly percent: number
  /** Speed per duty cycle as a multiple of the stock motor's. */
  readonly gain: number
  /** Something holds the bar. */
  readonly stalled: boolean
}

/** Dry friction costs the torque of this duty, viscous friction takes the rest: 500 RPM at 30 %, where the stock configuration begins
 * without a calibration. At rest friction is greater. */
const FRICTION_PERCENT = 3
const BREAKAWAY_PERCENT = 10
const RPM_PER_PERCENT = 500 / (30 - FRICTION_PERCENT)
/** Inertia of fan and bar against the viscous drag, s. */
const TIME_CONSTANT_S = 0.4
/** A held bar stops within a fraction of a turn. */
const HOLD_TIME_CONSTANT_S = 0.02

interface Course {
  /** Speed that the rotor approaches, RPM; below 0 it comes to rest on the way. */
  readonly endRpm: number
  readonly timeConstantS: number
  /** When it comes to rest, s from the beginning. */
  readonly restS: number
}

function courseOf(rpm: number, { percent, gain, stalled }: MotorDrive): Course {
  const timeConstantS = stalled ? HOLD_TIME_CONSTANT_S : TIME_CONSTANT_S
  const turns = !stalled && percent >= (rpm > 0 ? 0 : BREAKAWAY_PERCENT)
  const endRpm = turns
    ? gain * RPM_PER_PERCENT * (percent - FRICTION_PERCENT)
    : -gain * RPM_PER_PERCENT * FRICTION_PERCENT
  const restS = endRpm >= 0 ? Infinity : timeConstantS * Math.log1p(rpm / -endRpm)
  return { endRpm, timeConstantS, restS }
}

const revolutionsIn = (rpm: number, { endRpm, timeConstantS, restS }: Course, seconds: number): number => {
  const moving = Math.min(seconds, restS)
  return (endRpm * moving - (rpm - endRpm) * timeConstantS * Math.expm1(-moving / timeConstantS)) / 60
}

/** The rotor `dtS` seconds later, exact for any time. */
export function turnRotor(rotor: Rotor, drive: MotorDrive, dtS: number): Rotor {
  const course = courseOf(rotor.rpm, drive)
  const rpm =
    dtS >= course.restS ? 0 : course.endRpm + (rotor.rpm - course.endRpm) * Math.exp(-dtS / course.timeConstantS)
  return { rpm, revolutions: rotor.revolutions + Math.max(0, revolutionsIn(rotor.rpm, course, dtS)) }
}

/** Whether it will ever turn, as things are. */
export const isTurning = ({ rpm }: Rotor, drive: MotorDrive): boolean =>
  rpm > STILL_RPM || (!drive.stalled && drive.percent >= BREAKAWAY_PERCENT)

/** Slower than a revolution in an hour. */
const STILL_RPM = 0.01

/** Halvings and tangents until the time of an edge is known to a nanosecond or so. */
const ITERATIONS = 60

/** When the rotor has made so many revolutions in all, s from now; it must reach them within `dtS`. */
export function timeOfRevolution(rotor: Rotor, drive: MotorDrive, revolutions: number, dtS: number): number {
  const course = courseOf(rotor.rpm, drive)
  const wanted = revolutions - rotor.revolutions
  let [low, high] = [0, dtS]
  let time = Math.min(dtS, (wanted * 60) / Math.max(rotor.rpm, course.endRpm))
  for (let step = 0; step < ITERATIONS && high - low > 1e-9; step++) {
    const error = revolutionsIn(rotor.rpm, course, time) - wanted
    if (error > 0) high = time
    else low = time
    const speed = (course.endRpm + (rotor.rpm - course.endRpm) * Math.exp(-time / course.timeConstantS)) / 60
    const tangent = time - error / speed
    if (Math.abs(tangent - time) < 1e-9) return tangent
    time = tangent > low && tangent < high ? tangent : (low + high) / 2
  }
  return time
}
