import { defineJob } from '../../../../events/core/define-job.js'
import type { JobContext } from '../../../jobs/job.js'
import { sleepS } from '../../../runtime/repeat.js'
import type { Bioreactor } from '../../board/board.js'
import { type InfraredEstimator, infraredCultureC } from '../../control/temperature/infrared.js'

const SAMPLE_S = 1

/** Holds a temperature while somebody measures it. */
export const biasTrimHold = defineJob({
  name: 'fir_bias_trim',
  help: 'Hold a temperature for the trim of the infrared thermometer.',
  action: true,
  stopOrder: 'automations',
  parameters: {},
})

export interface TemperatureHoldDeps {
  readonly bioreactor: Bioreactor
  /** Liquid in the vial, mL. */
  readonly volumeMl: number
  readonly estimator: InfraredEstimator
  /** Told after each sample, °C. */
  readonly onTemperature: (celsius: number) => void
}

/** Stirs, heats, and reads the infrared thermometer once a second until the job is to end. */
export async function holdTemperature(job: JobContext, targetC: number, deps: TemperatureHoldDeps): Promise<void> {
  const { clock, ending, experiment } = job
  const { bioreactor, volumeMl, estimator, onTemperature } = deps
  const thermometer = await bioreactor.openInfrared()
  await job.startJob('stirring', {}, experiment)
  const options = { automation_name: 'thermostat', target_temperature: targetC }
  await job.startJob('temperature_automation', options, experiment)
  let celsius: number | null = null
  let lastMs = clock.monotonicMs()
  while (!ending.aborted) {
    const seen = await thermometer.read()
    if (seen !== null) {
      const boardC = await bioreactor.readHeaterBoardC()
      const now = clock.monotonicMs()
      const sample = { objectC: seen.objectC, ambientC: seen.sensorC, boardC, volumeMl }
      celsius = infraredCultureC(estimator, sample, celsius, (now - lastMs) / 1000)
      lastMs = now
      onTemperature(celsius)
    }
    await sleepS(clock, SAMPLE_S, ending)
  }
}
