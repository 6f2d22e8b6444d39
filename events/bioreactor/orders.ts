import { defineEvent } from '../core/define-event.js'
import { choice } from '../core/values.js'
import { isRequestableState, JOB_STATES } from '../job-state.js'

/** Orders that one job gives another. They are carried out and answered as those of anybody else. */

export const dosingStateOrder = defineEvent({
  pattern: 'pioreactor/<unit>/<experiment>/dosing_automation/$state/set',
  retained: false,
  payload: choice(JOB_STATES.filter(isRequestableState)),
  doc: 'Order to the dosing: `od_reading` puts it to sleep when its readings cannot be trusted.',
})
