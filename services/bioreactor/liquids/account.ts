import {
  bioreactorValues,
  bioreactorVariableEvent,
  type DosingEvent,
  dosingEvent,
  type Liquid,
  type LiquidAccount,
  liquidEvent,
  overflowEvent,
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

/** What is published of an account that has changed: the account, then of the six variables of a Pioreactor those that are new.
 * @param known values that are published already */
export function accountMessages(
  { unit, experiment }: AccountOf,
  account: LiquidAccount,
  known: Readonly<Record<string, number>>,
): readonly Correction[] {
  return [
    {
      topic: liquidEvent.topic({ unit, experiment }),
      payload: liquidEvent.encode(account),
      retain: liquidEvent.retained,
    },
    ...variableMessages({ unit, experiment }, account.liquid, known),
  ]
}

export const variableMessages = (
  { unit, experiment }: AccountOf,
  liquid: Liquid,
  known: Readonly<Record<string, number>>,
): readonly Correction[] =>
  Object.entries(bioreactorValues(liquid)).flatMap(([variable, value]) =>
    known[variable] === value
      ? []
      : [
          {
            topic: bioreactorVariableEvent.topic({ unit, experiment, variable }),
            payload: bioreactorVariableEvent.encode(value),
            retain: bioreactorVariableEvent.retained,
          },
        ],
  )

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

export const dosingMessage = ({ unit, experiment }: AccountOf, dose: DosingEvent): Correction => ({
  topic: dosingEvent.topic({ unit, experiment }),
  payload: dosingEvent.encode(dose),
  retain: dosingEvent.retained,
})

/** The account of a process that died while pumps ran: each has run on until it was switched off, or until it had moved all it was to move.
 * @param offMs when they were off, ms UTC. @returns what to publish, dosing events first; nothing when no pump ran. */
export function settledAccount(of: AccountOf, account: LiquidAccount, offMs: number): readonly Correction[] {
  if (account.pumping.length === 0) return []
  const timestamp = timestampOf(new Date(offMs))
  let now: LiquidAccount = { ...account, timestamp }
  const doses: Correction[] = []
  const alarms: Correction[] = []
  for (const pumping of account.pumping) {
    const { event, source_of_event } = pumping
    const before = now.liquid
    const pumpedMl = movedSince(pumping, offMs)
    const volume_change = addedMedium(event) === null ? wasteMovedMl(before, pumpedMl) : pumpedMl
    if (volume_change <= 0) continue
    now = { ...now, liquid: evolveLiquid(before, { event, volume_change }, account.capacity_ml) }
    doses.push(dosingMessage(of, { volume_change, event, source_of_event, timestamp }))
    alarms.push(...overflowMessages(of, now, before, pumping))
  }
  return [...doses, ...accountMessages(of, { ...now, pumping: [] }, bioreactorValues(account.liquid)), ...alarms]
}

const movedSince = ({ since, left_ml, ml_per_s }: Pumping, offMs: number): number =>
  Math.min(left_ml, ml_per_s * Math.max(0, (offMs - Date.parse(since)) / 1000))
