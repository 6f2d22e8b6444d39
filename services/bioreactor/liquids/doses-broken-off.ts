import { bioreactorVariableEvent, liquidEvent } from '../../../events/bioreactor/liquids.js'
import type { PartAftermath, Past } from '../../aftermath/aftermath.js'
import { recordIn } from '../../aftermath/retained.js'
import { settledAccount } from './account.js'

/** Safe-state follows a death within this time; a result that is younger is of another occasion, ms. */
const SAFE_STATE_MS = 10_000

/** What pumps moved that ran when their process died: until safe-state switched them off, and never more than they were to move. */
export const dosesBrokenOff: PartAftermath = {
  filters: [liquidEvent.filter(), bioreactorVariableEvent.filter()],
  corrections: (past) =>
    past.outputs?.done.includes('pwm') !== true
      ? []
      : past.world.flatMap((value) => {
          const of = liquidEvent.levels(value.topic)
          const account = of === null ? null : recordIn(liquidEvent.payload, value)
          return of === null || account === null ? [] : settledAccount(of, account, offMs(past))
        }),
}

/** Safe-state reads the clock of the machine, which on a simulated unit is not that of the events; then the death has to do. */
function offMs({ outputs, death }: Past): number {
  const deathMs = Date.parse(death.at)
  const safeMs = outputs?.at ?? deathMs
  return safeMs >= deathMs && safeMs <= deathMs + SAFE_STATE_MS ? safeMs : deathMs
}
