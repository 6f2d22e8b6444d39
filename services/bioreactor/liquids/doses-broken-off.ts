import { bioreactorVariableEvent, DosingEvent, dosingEvent, liquidEvent } from '../../../events/bioreactor/liquids.js'
import type { PartAftermath, Past } from '../../aftermath/aftermath.js'
import { type Correction, type RetainedText, recordIn } from '../../aftermath/retained.js'
import { caughtUp, publishedIn, settled, settlementMessages } from './account.js'

/** Safe-state follows a death within this time; a result that is younger is of another occasion, ms of the machine. */
const SAFE_STATE_MS = 10_000

/** What stands in the log behind the account of a vial: a dose and its account are two events, and the kill came between them. Then what pumps moved that
 * ran when their process died: until safe-state switched them off. */
export const dosesBrokenOff: PartAftermath = {
  filters: [liquidEvent.filter(), bioreactorVariableEvent.filter()],
  async corrections(past) {
    const accounts = past.world.filter(({ topic }) => liquidEvent.levels(topic) !== null)
    if (accounts.length === 0) return []
    const doses = firstDeliveries(await past.late(dosingEvent.filter()))
    const texts = new Map(past.world.map(({ topic, text }) => [topic, text]))
    return accounts.flatMap((value) => putRight(value, doses, texts, past))
  },
}

interface LateDose {
  readonly topic: string
  readonly position: number
  readonly dose: DosingEvent
}

/** A publisher that lost its connection before the acknowledgement tells a dose twice, word for word. */
function firstDeliveries(events: readonly Required<RetainedText>[]): readonly LateDose[] {
  const seen = new Set<string>()
  return events.flatMap((event) => {
    const { topic, text, position } = event
    const dose = recordIn(DosingEvent, event)
    if (dose === null || seen.has(`${topic} ${text}`)) return []
    seen.add(`${topic} ${text}`)
    return [{ topic, position, dose }]
  })
}

function putRight(
  value: RetainedText,
  doses: readonly LateDose[],
  texts: ReadonlyMap<string, string>,
  past: Past,
): readonly Correction[] {
  const of = liquidEvent.levels(value.topic)
  const retained = of === null ? null : recordIn(liquidEvent.payload, value)
  if (of === null || retained === null) return []
  const { position = Number.POSITIVE_INFINITY } = value
  const topic = dosingEvent.topic(of)
  const behind = doses.filter((late) => late.topic === topic && late.position > position)
  const told = caughtUp(
    retained,
    behind.map(({ dose }) => dose),
  )
  const areOff = past.outputs?.done.includes('pwm') === true
  const safeMs = safeStateMs(past)
  // Where nobody knows when they were switched off, the death has to do.
  const offMs = safeMs ?? Date.parse(past.death.at)
  const entered = areOff ? settled(told, offMs, safeMs !== null) : { account: told, doses: [] }
  return entered.account === retained ? [] : settlementMessages(of, retained, entered, publishedIn(texts, of))
}

/** When safe-state followed this death; null when it did not. */
function safeStateMs({ outputs, death: { at, speed = 1 } }: Past): number | null {
  const deathMs = Date.parse(at)
  const safeMs = outputs?.at ?? Number.NaN
  return safeMs >= deathMs && safeMs <= deathMs + SAFE_STATE_MS * speed ? safeMs : null
}
