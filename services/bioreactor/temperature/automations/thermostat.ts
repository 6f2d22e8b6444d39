import { Type } from '@sinclair/typebox'
import { clamp } from '../../../../primitives/round.js'
import { pidLog } from '../../control/pid.js'
import { THERMOSTAT_AT_REST, type ThermostatState, thermostatStep } from '../../control/temperature/thermostat.js'
import { type TemperatureSeen, temperatureAutomation } from '../temperature-automation.js'

const SECTION = 'temperature_automation.thermostat'
const gain = { schema: Type.Number(), unit: '% per ℃' }

interface Settings {
  readonly target_temperature: number
  readonly Kp: number
  readonly Ki: number
  readonly Kd: number
}

const step = (
  { seen, settings }: { readonly seen: TemperatureSeen; readonly settings: Settings },
  memory: ThermostatState,
) =>
  thermostatStep(
    memory,
    {
      temperatureC: seen.temperature_c,
      dutyPercent: seen.heater_duty_percent,
      nowS: seen.now_s,
      periodS: seen.period_s,
    },
    // A vessel with lower limits than the others.
    clamp(0, settings.target_temperature, seen.max_target_c),
    settings,
  )

/** Source: Pioreactor 26.7. */
export const thermostat = temperatureAutomation(
  {
    name: 'thermostat',
    help: 'Hold the temperature of the culture.',
    parameters: {
      target_temperature: {
        schema: Type.Number({ minimum: 0, maximum: 78 }),
        unit: '℃',
        step: 0.5,
        doc: 'Temperature to hold. The heater cannot cool.',
        settable: true,
      },
      Kp: { ...gain, doc: 'Proportional gain of the heater.', config: [SECTION, 'Kp'], default: 2.6 },
      Ki: { ...gain, doc: 'Integral gain of the heater.', config: [SECTION, 'Ki'], default: 0 },
      Kd: { ...gain, doc: 'Derivative gain of the heater.', config: [SECTION, 'Kd'], default: 4.6 },
    },
  },
  {
    schedule: 'on_news',
    memory: THERMOSTAT_AT_REST,
    decide: ({ seen, settings, memory }) => {
      const next = step({ seen, settings }, memory)
      const pid = pidLog(next.settings, next.terms, seen.temperature_c, {
        job_name: 'temperature_automation',
        target_name: 'temperature',
      })
      return { memory: next.state, pid, want: { heater_duty_percent: next.dutyPercent } }
    },
    report: (done, _, { seen, settings, memory }) => {
      const delta_dc = step({ seen, settings }, memory).terms.output
      return {
        event_name: 'UpdatedHeaterDC',
        message: `delta_dc=${delta_dc}`,
        data: {
          current_dc: done.heater_duty_percent,
          delta_dc,
          target_temperature: settings.target_temperature,
          latest_temperature: seen.temperature_c,
        },
      }
    },
  },
)
