import { Type } from '@sinclair/typebox'
import { Temperature } from '../../../events/bioreactor/readings.js'
import { defineAutomationKind } from '../../../events/core/define-automation.js'
import { type Automation, automationsOf } from '../../jobs/automation.js'

const temperatureKind = defineAutomationKind({
  kind: 'temperature',
  help: 'Measure the temperature of the culture, and heat by a rule.',
  stopOrder: 'outputs',
  parameters: {
    temperature: {
      schema: Temperature,
      unit: '℃',
      doc: 'Temperature of the culture.',
      published: true,
      valuePath: 'temperature',
    },
    heater_duty_cycle: {
      schema: Type.Number({ minimum: 0, maximum: 100 }),
      unit: '%',
      doc: 'PWM output of the heater.',
      published: true,
    },
  },
})

/** What a temperature automation is shown after each new temperature. */
export interface TemperatureSeen {
  /** Of the culture, as it was inferred. */
  readonly temperature_c: number
  /** What the heater had before the inference and has again. */
  readonly heater_duty_percent: number
  /** Of a clock that never jumps. */
  readonly now_s: number
  /** From one inference to the next. */
  readonly period_s: number
  /** No higher target is held on this vessel: from there the heater is reduced. */
  readonly max_target_c: number
}

/** What it wants of the heater, and what the limits of the vessel left of it. */
export interface HeaterDuty {
  readonly heater_duty_percent: number
}

/** Declares a temperature automation. */
export const temperatureAutomation = automationsOf<TemperatureSeen, HeaterDuty, HeaterDuty>()(temperatureKind)

export type TemperatureAutomation = Automation<TemperatureSeen, HeaterDuty, HeaterDuty>
