import { type Static, Type } from '@sinclair/typebox'
import { defineEvent } from '../core/define-event.js'
import { Timestamp } from '../core/timestamp.js'
import { choice } from '../core/values.js'

const Percent = Type.Number({ minimum: 0, maximum: 100, unit: '%' })

export const pwmEvent = defineEvent({
  pattern: 'pioreactor/<unit>/<experiment>/pwms/dc',
  retained: true,
  payload: Type.Record(Type.String(), Percent),
  doc: 'Duty cycle in % by BCM pin; pins that are off are left out.',
  // As the leader's recorder expects them: one space after colon and comma.
  write: (percentages) =>
    `{${Object.entries(percentages)
      .map(([pin, percent]) => `"${pin}": ${percent}`)
      .join(', ')}}`,
})

export const ledsEvent = defineEvent({
  pattern: 'pioreactor/<unit>/<experiment>/leds/intensity',
  retained: true,
  payload: Type.Record(Type.String(), Percent),
  doc: 'Intensity in % of the LED channels A–D.',
})

export const ledChangeEvent = defineEvent({
  pattern: 'pioreactor/<unit>/<experiment>/led_change_events',
  retained: false,
  payload: Type.Object({
    channel: choice(['A', 'B', 'C', 'D']),
    intensity: Percent,
    source_of_event: Type.String(),
    timestamp: Timestamp,
  }),
  doc: 'An LED channel was set to an intensity in %, and by what.',
})

/** One step of a PID controller, as Pioreactor (26.7) publishes it. */
const PidStep = Type.Object({
  setpoint: Type.Union([Type.Number(), Type.Null()]),
  output_limits_lb: Type.Number(),
  output_limits_ub: Type.Number(),
  Kd: Type.Number(),
  Ki: Type.Number(),
  Kp: Type.Number(),
  integral: Type.Number(),
  proportional: Type.Number(),
  derivative: Type.Number(),
  latest_input: Type.Number(),
  latest_output: Type.Number(),
  job_name: Type.String(),
  target_name: Type.String(),
})
export type PidStep = Static<typeof PidStep>

export const pidLogEvent = defineEvent({
  pattern: 'pioreactor/<unit>/<experiment>/pid_log/<target_name>',
  retained: false,
  payload: PidStep,
  doc: 'One step of a PID controller: its target, its terms and what it gave; `target_name` is `rpm` of stirring, `temperature` of the thermostat, `growth_rate` of the morbidostat.',
})

export const errorCodeEvent = defineEvent({
  pattern: 'pioreactor/<unit>/<experiment>/monitor/flicker_led_with_error_code',
  retained: false,
  payload: Type.Integer({ minimum: 1 }),
  doc: 'The LED of the unit is to blink so many times: 4, the stir bar does not turn; 5, a photodiode is near its limit; 6, the heater board or the processor is too hot. By itself it blinks 1 without a network, 2 without the broker, 3 for a full disk, 7 for a low supply and 8 when the web server does not answer.',
})
