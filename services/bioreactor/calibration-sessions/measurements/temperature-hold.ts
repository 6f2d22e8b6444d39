import { defineJob } from '../../../../events/core/define-job.js'
import type { JobContext } from '../../../jobs/job.js'
import { sleepS } from '../../../runtime/repeat.js'
import type { Bioreactor } from '../../board/board.js'
import { mean } from '../../control/statistics.js'
import { type InfraredEstimator, infraredCultureC } from '../../control/temperature/infrared.js'
import type { HeldTemperature } from '../executor-port.js'

const SAMPLE_S = 1
/** Longer than the thermostat takes from one rest of the heater to the next, samples. */
const CYCLE = 300

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
  /** Told after each sample. */
  readonly onTemperature: (seen: HeldTemperature) => void
}

/** Stirs, heats, and reads the infrared thermometer once a second until the job is to end. */
export async function holdTemperature(job: JobContext, targetC: number, deps: TemperatureHoldDeps): Promise<void> {
  const { clock, ending, experiment } = job
  const { bioreactor, volumeMl, estimator, onTemperature } = deps
  const thermometer = await bioreactor.openInfrared()
  await job.startJob('stirring', {}, experiment)
  const options = { automation_name: 'thermostat', target_temperature: targetC }
  const thermostat = await job.startJob('temperature_automation', options, experiment)
  const samples: number[] = []
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
      samples.push(celsius)
      if (samples.length > 2 * CYCLE) samples.shift()
      const estimatedC = mean(samples.slice(-CYCLE))
      const isWhole = samples.length === 2 * CYCLE
      const driftCPerMin = isWhole ? ((estimatedC - mean(samples.slice(0, CYCLE))) / (CYCLE * SAMPLE_S)) * 60 : null
      const { temperature = null } = (thermostat.value('temperature') ?? {}) as { readonly temperature?: number }
      onTemperature({ estimatedC, driftCPerMin, thermostatC: temperature })
    }
    await sleepS(clock, SAMPLE_S, ending)
  }
}
