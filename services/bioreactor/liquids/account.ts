import {
  bioreactorVariableEvent,
  type DosingEvent,
  dosingEvent,
  type Liquid,
  type LiquidAccount,
  liquidEvent,
  type Pumping,
} from '../../../events/bioreactor/liquids.js'
import { timestampOf } from '../../../events/core/timestamp.js'
import type { Correction } from '../../aftermath/retained.js'
import { addedMedium, bioreactorVariables, evolveLiquid, wasteMovedMl } from '../control/dosing/liquid.js'

/** Whose account it is. */
export interface AccountOf {
  readonly unit: string
  readonly experiment: string
}

/** What is published of an account that has changed: the account, then of the six variables of a Pioreactor those that are new.
 * @param before null to publish all of them. */
export function accountMessages(
  { unit, experiment }: AccountOf,
  account: LiquidAccount,
  before: Liquid | null,
): readonly Correction[] {
  const known: Readonly<Record<string, number>> = before === null ? {} : bioreactorVariables(before)
  const changed = Object.entries(bioreactorVariables(account.liquid)).filter(([name, value]) => known[name] !== value)
  return [
    {
      topic: liquidEvent.topic({ unit, experiment }),
      payload: liquidEvent.encode(account),
      retain: liquidEvent.retained,
    },
    ...changed.map(([variable, value]) => ({
      topic: bioreactorVariableEvent.topic({ unit, experiment, variable }),
      payload: bioreactorVariableEvent.encode(value),
      retain: bioreactorVariableEvent.retained,
    })),
  ]
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
  let { liquid } = account
  const doses: Correction[] = []
  for (const pumping of account.pumping) {
    const { event, source_of_event } = pumping
    const pumpedMl = movedSince(pumping, offMs)
    const volume_change = addedMedium(event) === null ? wasteMovedMl(liquid, pumpedMl) : pumpedMl
    if (volume_change <= 0) continue
    liquid = evolveLiquid(liquid, { event, volume_change }, account.capacity_ml)
    doses.push(dosingMessage(of, { volume_change, event, source_of_event, timestamp }))
  }
  return [...doses, ...accountMessages(of, { ...account, liquid, pumping: [], timestamp }, account.liquid)]
}

const movedSince = ({ since, left_ml, ml_per_s }: Pumping, offMs: number): number =>
  Math.min(left_ml, ml_per_s * Math.max(0, (offMs - Date.parse(since)) / 1000))
