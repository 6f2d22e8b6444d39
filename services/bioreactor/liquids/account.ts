import {
  BIOREACTOR_VARIABLES,
  type BioreactorVariable,
  bioreactorValues,
  bioreactorVariableEvent,
  type DosingEvent,
  dosingEvent,
  type Liquid,
  type LiquidAccount,
  liquidEvent,
  overflowEvent,
  PUMP_CALIBRATION,
  type Pumping,
} from '../../../events/bioreactor/liquids.js'
import { type LogMessage, logEvent } from '../../../events/bioreactor/logs.js'
import { timestampOf } from '../../../events/core/timestamp.js'
import type { Correction } from '../../aftermath/retained.js'
import { addedMedium, evolveLiquid, wasteMovedMl } from '../control/dosing/liquid.js'

/** Whose account it is. */
export interface AccountOf {
  readonly unit: string
  readonly experiment: string
}

/** What is published already of the variables of an experiment; undefined where nothing is. */
export type Published = (variable: BioreactorVariable) => number | undefined

/** What is published of an account that has changed: the account, then of the six variables of a Pioreactor those that are new. */
export function accountMessages(
  { unit, experiment }: AccountOf,
  account: LiquidAccount,
  published: Published,
): readonly Correction[] {
  return [
    {
      topic: liquidEvent.topic({ unit, experiment }),
      payload: liquidEvent.encode(account),
      retain: liquidEvent.retained,
    },
    ...variableMessages({ unit, experiment }, account.liquid, published),
  ]
}

export function variableMessages(
  { unit, experiment }: AccountOf,
  liquid: Liquid,
  published: Published,
): readonly Correction[] {
  const values = bioreactorValues(liquid)
  return BIOREACTOR_VARIABLES.filter((variable) => published(variable) !== values[variable]).map((variable) => ({
    topic: bioreactorVariableEvent.topic({ unit, experiment, variable }),
    payload: bioreactorVariableEvent.encode(values[variable]),
    retain: bioreactorVariableEvent.retained,
  }))
}

/** The variables of an experiment as they are retained. @param texts by topic */
export const publishedIn =
  (texts: ReadonlyMap<string, string>, { unit, experiment }: AccountOf): Published =>
  (variable) => {
    const text = texts.get(bioreactorVariableEvent.topic({ unit, experiment, variable }))
    return text === undefined ? undefined : Number(text)
  }

/** The alarm of a vial that was given more than it holds: raised with a line in the log, repeated as it goes on, cleared once there is room again.
 * @param before what it held. */
export function overflowMessages(
  { unit, experiment }: AccountOf,
  { liquid, capacity_ml, timestamp }: LiquidAccount,
  before: Liquid,
  { event, source_of_event }: Pick<DosingEvent, 'event' | 'source_of_event'>,
): readonly Correction[] {
  const topic = overflowEvent.topic({ unit, experiment })
  const { volume_ml, spilled_ml } = liquid
  const wasFull = before.volume_ml >= capacity_ml
  if (spilled_ml <= before.spilled_ml) {
    const isOver = wasFull && volume_ml < capacity_ml && before.spilled_ml > 0
    return isOver ? [{ topic, payload: '', retain: true }] : []
  }
  const overflow = { spilled_ml, volume_ml, capacity_ml, event, source_of_event, timestamp }
  const alarm = { topic, payload: overflowEvent.encode(overflow), retain: overflowEvent.retained }
  if (wasFull && before.spilled_ml > 0) return [alarm]
  const spiltMl = (spilled_ml - before.spilled_ml).toFixed(3)
  const log: LogMessage = {
    source: 'app',
    task: 'bioreactor',
    message: `The vial overflows: ${event} of ${source_of_event ?? 'an unknown source'} left no room for ${spiltMl} mL; it holds ${capacity_ml} mL. The account goes on from there.`,
    level: 'ERROR',
    timestamp,
  }
  const levels = { unit, experiment, source: log.source, level: 'error' }
  return [alarm, { topic: logEvent.topic(levels), payload: logEvent.encode(log), retain: logEvent.retained }]
}

/** The volume comes first, as a Pioreactor writes it: there are clients that read the text. */
export const dosingMessage = (
  { unit, experiment }: AccountOf,
  { volume_change, event, source_of_event, timestamp }: DosingEvent,
): Correction => ({
  topic: dosingEvent.topic({ unit, experiment }),
  payload: dosingEvent.encode({ volume_change, event, source_of_event, timestamp }),
  retain: dosingEvent.retained,
})

/** An account, and the doses that made it of an earlier one. */
interface Entered {
  readonly account: LiquidAccount
  readonly doses: readonly DosingEvent[]
}

/** The account after doses that stand behind it in the log: a kill came between a dose and the account of it. The same account when there are none. */
export const caughtUp = (account: LiquidAccount, doses: readonly DosingEvent[]): LiquidAccount =>
  doses.filter(({ source_of_event }) => source_of_event !== PUMP_CALIBRATION).reduce(withDose, account)

const withDose = ({ liquid, pumping, capacity_ml }: LiquidAccount, dose: DosingEvent): LiquidAccount => ({
  liquid: evolveLiquid(liquid, dose, capacity_ml),
  capacity_ml,
  pumping: pumping.map((pump) => toldUpTo(pump, dose)),
  timestamp: dose.timestamp,
})

/** A pump after its own dosing event: what it moved until then is told. Of waste the event says less than was pumped. */
function toldUpTo(pumping: Pumping, { event, source_of_event, volume_change, timestamp }: DosingEvent): Pumping {
  if (pumping.event !== event || pumping.source_of_event !== source_of_event) return pumping
  const pumpedMl = addedMedium(event) === null ? movedSince(pumping, Date.parse(timestamp)) : volume_change
  return { ...pumping, since: timestamp, left_ml: Math.max(0, pumping.left_ml - pumpedMl) }
}

/** A process that lives tells of its pumps twice a second, and when one stands; s, with some time on the way. */
const TOLD_WITHIN_S = 1

/** The account of a process that died while pumps ran: each has run on until it was switched off. The same account when no pump ran.
 * @param offMs when they were off at the latest, ms UTC. @param wereOn whether they were on until then; else none moved more than it was to move. */
export function settled(account: LiquidAccount, offMs: number, wereOn = false): Entered {
  if (account.pumping.length === 0) return { account, doses: [] }
  const timestamp = timestampOf(new Date(offMs))
  let { liquid } = account
  const doses: DosingEvent[] = []
  for (const pumping of account.pumping) {
    const { event, source_of_event } = pumping
    const pumpedMl = movedSince(pumping, offMs, wereOn)
    const volume_change = addedMedium(event) === null ? wasteMovedMl(liquid, pumpedMl) : pumpedMl
    if (volume_change <= 0) continue
    liquid = evolveLiquid(liquid, { event, volume_change }, account.capacity_ml)
    doses.push({ volume_change, event, source_of_event, timestamp })
  }
  return { account: { ...account, liquid, pumping: [], timestamp }, doses }
}

/** What is published of an account that was put right after a death: doses that nobody has told, the account, and an alarm if it overflowed.
 * @param before the account that is retained */
export function settlementMessages(
  of: AccountOf,
  before: LiquidAccount,
  { account, doses }: Entered,
  published: Published,
): readonly Correction[] {
  const by = doses.at(-1) ?? { event: 'a dose', source_of_event: null }
  return [
    ...doses.map((dose) => dosingMessage(of, dose)),
    ...accountMessages(of, account, published),
    ...overflowMessages(of, account, before.liquid, by),
  ]
}

function movedSince({ since, left_ml, ml_per_s }: Pumping, offMs: number, wereOn = false): number {
  const until = ml_per_s * Math.max(0, (offMs - Date.parse(since)) / 1000)
  // Nobody switched off at its end a pump whose process was silent before: it was dead or frozen.
  const ranOn = wereOn && left_ml > ml_per_s * TOLD_WITHIN_S
  return ranOn ? until : Math.min(left_ml, until)
}
