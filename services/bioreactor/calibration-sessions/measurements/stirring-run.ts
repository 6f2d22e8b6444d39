import { Type } from '@sinclair/typebox'
import { defineJob, type SettingsOf } from '../../../../events/core/define-job.js'
import type { JobContext } from '../../../jobs/job.js'
import { configuredParameters } from '../../../jobs/resolve-parameters.js'
import { sleepS } from '../../../runtime/repeat.js'
import type { Bioreactor } from '../../board/board.js'
import type { PwmBoard } from '../../board/pwm-board.js'
import { PartMissing } from '../../errors.js'
import { openRpmSensor } from '../../stirring/rpm-sensor.js'
import { stirring } from '../../stirring/stirring.js'

/** Overcomes static friction. */
const KICK = { duty: 100, seconds: 0.5 }
/** Until the bar turns steadily. */
const WARM_UP_S = 3
/** From a duty cycle to its speed, and how long that is measured. */
const SETTLE_S = 2
const WINDOW_S = 2

export const stirringCalibration = defineJob({
  name: 'stirring_calibration',
  help: 'Measure the speed of the stir bar at a row of duty cycles.',
  action: true,
  stopOrder: 'outputs',
  parameters: {
    percent_progress: {
      schema: Type.Number({ minimum: 0, maximum: 100 }),
      unit: '%',
      doc: 'How much of the row is done.',
      published: true,
    },
  },
})

export interface StirringRunDeps {
  readonly bioreactor: Bioreactor
  readonly pwm: PwmBoard
}

/** @returns RPM at each duty cycle; 0 where the bar stood. @throws PartMissing, PwmChannelBusy. Source: Pioreactor 26.7 `stirring_calibration` */
export async function measureSpeeds(
  job: JobContext<SettingsOf<typeof stirringCalibration>>,
  duties: readonly number[],
  { bioreactor, pwm }: StirringRunDeps,
): Promise<readonly number[]> {
  const { clock, config, ending } = job
  const channel = config.channelOf('PWM', 'stirring')
  if (channel === undefined) throw missing('No PWM channel is labelled stirring', 'Label one in section [PWM].')
  if (!(await bioreactor.isHeaterBoardPresent())) {
    throw missing('The heater board, which carries the Hall sensor, does not answer', 'Attach it.')
  }
  const params = configuredParameters(stirring, config)
  const line = await pwm.claim(channel, params.pwm_hz, job, 'unlimited')
  const sensor = await openRpmSensor(bioreactor.gpio, bioreactor.board.hallPin, clock)
  job.atEnd(() => sensor.close())
  const turn = async (duty: number, seconds: number): Promise<void> => {
    await line.set(duty, () => !ending.aborted)
    await sleepS(clock, seconds, ending)
    ending.throwIfAborted()
  }
  job.publish('percent_progress', 0)
  await turn(KICK.duty, KICK.seconds)
  await turn(params.duty_cycle, WARM_UP_S)
  const speeds: number[] = []
  for (const duty of duties) {
    await turn(duty, SETTLE_S)
    speeds.push(await sensor.measure(WINDOW_S, ending))
    ending.throwIfAborted()
    job.publish('percent_progress', Math.round((100 * speeds.length) / duties.length))
  }
  return speeds
}

const missing = (problem: string, remediation: string) => new PartMissing(`${problem}.`, { remediation })
