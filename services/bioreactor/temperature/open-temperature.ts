import { defineError, InvalidInput } from '../../../events/core/errors.js'
import type { Values } from '../../../events/core/parameter.js'
import type { OpenPort } from '../../jobs/automation-host.js'
import type { JobContext } from '../../jobs/job.js'
import type { Bioreactor } from '../board/board.js'
import { PartMissing } from '../errors.js'
import type { Heater } from './heater.js'
import { HeaterGuard } from './heater-guard.js'
import { Probe } from './probe.js'
import type { HeaterDuty, TemperatureSeen } from './temperature-automation.js'
import { TemperatureCycle } from './temperature-cycle.js'

const NoTemperature = defineError('temperature.unknown', 'state', 'The job knows no temperature of the culture yet.')

export interface TemperatureDeps {
  readonly bioreactor: Bioreactor
  readonly heater: Heater
}

/** The culture's temperature and the heater as automations use them. The heater is off while it sleeps and when it has ended. */
export const openTemperature =
  ({ bioreactor, heater: heaters }: TemperatureDeps): OpenPort<TemperatureSeen, HeaterDuty, HeaterDuty> =>
  async (job) => {
    const { model } = bioreactor
    if (!(await bioreactor.isHeaterBoardPresent())) {
      throw new PartMissing('The heater board, which carries the probe, does not answer.', {
        remediation: 'Attach it.',
      })
    }
    const { isRested } = heaters
    const heater = await heaters.claim(job, (percent) => job.publish('heater_duty_cycle', percent))
    job.publish('heater_duty_cycle', 0)
    const probe = new Probe(bioreactor, job.clock)
    const guard = new HeaterGuard({ job, model, heater, probe, powerOff: () => bioreactor.powerOff() })
    const cycle = new TemperatureCycle({ job, model, heater, probe, guard })
    await cycle.begin(isRested)
    const warnOfStandstill = standstillWarning(job)
    return {
      check: (settings) => checkTarget(settings, model),
      watch: (listener) => cycle.watch(listener),
      see() {
        const { temperatureC } = cycle
        if (temperatureC === null) throw new NoTemperature('There is no temperature of the culture yet.')
        return {
          temperature_c: temperatureC,
          heater_duty_percent: heater.duty,
          now_s: job.clock.monotonicMs() / 1000,
          period_s: cycle.periodS,
          max_target_c: model.max_temp_to_reduce_heating,
        }
      },
      async carryOut({ heater_duty_percent }, stop) {
        if (heater_duty_percent > 0) warnOfStandstill()
        await cycle.heat(heater_duty_percent, stop)
        return { heater_duty_percent: heater.duty }
      },
      sleep: () => cycle.sleep(),
      wake: async () => cycle.wake(),
    }
  }

/** A target that this vessel is not heated to. @throws InvalidInput */
function checkTarget({ target_temperature: target }: Values, model: Bioreactor['model']): void {
  const { max_temp_to_reduce_heating: max, display_name } = model
  if (typeof target !== 'number' || target <= max) return
  throw new InvalidInput(`target_temperature is ${target} ℃; ${display_name} is heated to ${max} ℃ at most.`, {
    details: { field: 'target_temperature', value: target },
  })
}

/** Tells once that a culture at rest is heated. */
function standstillWarning(job: JobContext): () => void {
  let isTold = false
  return () => {
    if (isTold || job.peers.find('stirring')?.state === 'ready') return
    isTold = true
    job.log('warning', 'The culture is heated and not stirred: start stirring, so that it is as warm everywhere.')
  }
}
