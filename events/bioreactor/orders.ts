import { Type } from '@sinclair/typebox'
import { defineEvent } from '../core/define-event.js'
import { choice } from '../core/values.js'
import { isRequestableState, JOB_STATES } from '../job-state.js'

/** Orders that one job, or somebody else, gives a job by an event. They are carried out and answered as those of anybody else. */

export const dosingStateOrder = defineEvent({
  pattern: 'pioreactor/<unit>/<experiment>/dosing_automation/$state/set',
  retained: false,
  payload: choice(JOB_STATES.filter(isRequestableState)),
  doc: 'Order to the dosing: `od_reading` puts it to sleep when its readings cannot be trusted.',
})

export const identifyOrder = defineEvent({
  pattern: 'pioreactor/<unit>/<experiment>/monitor/flicker_led_response_okay',
  retained: false,
  payload: Type.Integer(),
  doc: 'Order to the LED of the unit: it blinks, so that somebody sees which unit it is; `monitor` then publishes its `$state` again. For every unit where the unit is `$broadcast`.',
})
