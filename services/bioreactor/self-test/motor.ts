import type { PwmLine } from '../board/pwm-line.js'
import { PartMissing } from '../errors.js'
import { pause, type TestBench } from './test-bench.js'

/** At first, so that a bar at rest starts to turn: s at full duty. */
const KICK_S = 0.5

/** The motor of the stirrer until the test has ended, at rest. @throws LabError when nothing is wired as such, or a job has it */
export async function openMotor({ pwm, job, user, config }: TestBench): Promise<PwmLine> {
  const channel = job.config.channelOf('PWM', 'stirring')
  if (channel === undefined) {
    throw new PartMissing('No PWM channel is labelled stirring.', { remediation: 'Label one in section [PWM].' })
  }
  return pwm.claim(channel, config.stirringHz, user, 'unlimited')
}

/** Sets the motor turning. @param percent duty cycle */
export async function startMotor(bench: TestBench, motor: PwmLine, percent: number): Promise<void> {
  const wanted = (): boolean => !bench.stop.aborted
  await motor.set(100, wanted)
  await pause(bench, KICK_S)
  await motor.set(percent, wanted)
}
