import { type Static, Type } from '@sinclair/typebox'
import { defineEvent } from '../core/define-event.js'
import { Timestamp } from '../core/timestamp.js'

const Milliliters = Type.Number({ minimum: 0, unit: 'mL' })

/** What a pump moved since its last event, up to `timestamp`. Source: Pioreactor 26.7 `DosingEvent`. */
export const DosingEvent = Type.Object(
  {
    volume_change: Type.Number({ unit: 'mL' }),
    event: Type.String(),
    source_of_event: Type.Union([Type.String(), Type.Null()]),
    timestamp: Timestamp,
  },
  { title: 'DosingEvent' },
)
export type DosingEvent = Static<typeof DosingEvent>

/** Doses of this source went into a measuring glass. */
export const PUMP_CALIBRATION = 'pump_calibration'

export const dosingEvent = defineEvent({
  pattern: 'pioreactor/<unit>/<experiment>/dosing_events',
  retained: false,
  payload: DosingEvent,
  doc: 'Liquid that a pump has moved, mL, told every 0.5 s while it runs and when it stops; `event` is `add_media`, `add_alt_media`, `add_<name>` of a plugin or `remove_waste`.',
})

export const bioreactorVariableEvent = defineEvent({
  pattern: 'pioreactor/<unit>/<experiment>/bioreactor/<variable>',
  retained: true,
  payload: Type.Number({ minimum: 0 }),
  doc: 'What the vial holds and what went through it: `current_volume_ml`, `efflux_tube_volume_ml`, `cumulative_media_added_ml`, `cumulative_alt_media_added_ml`, `cumulative_waste_removed_ml` in mL, and `alt_media_fraction`, 0 to 1.',
})

/** What is in the vial and what went through it, folded from dosing events. */
export const Liquid = Type.Object({
  volume_ml: Milliliters,
  /** Where the waste tube ends; waste pumps air below it. */
  efflux_tube_volume_ml: Milliliters,
  /** Share of each medium in the volume, by the name in `add_<medium>`; together 1. */
  composition: Type.Record(Type.String(), Type.Number({ minimum: 0, maximum: 1 })),
  /** Added since the beginning, by medium. */
  added_ml: Type.Record(Type.String(), Milliliters),
  /** Liquid that left through the waste tube. */
  removed_ml: Milliliters,
  /** Liquid that had no room in the vial. */
  spilled_ml: Milliliters,
})
export type Liquid = Static<typeof Liquid>

/** The six values of the vial as a Pioreactor publishes them below `bioreactor/`, in the order in which it lists them. */
export const BIOREACTOR_VARIABLES = [
  'current_volume_ml',
  'efflux_tube_volume_ml',
  'alt_media_fraction',
  'cumulative_media_added_ml',
  'cumulative_alt_media_added_ml',
  'cumulative_waste_removed_ml',
] as const
export type BioreactorVariable = (typeof BIOREACTOR_VARIABLES)[number]

const Share = Type.Number({ minimum: 0, maximum: 1 })

export const BioreactorValues = Type.Object({
  current_volume_ml: Milliliters,
  efflux_tube_volume_ml: Milliliters,
  alt_media_fraction: Share,
  cumulative_media_added_ml: Milliliters,
  cumulative_alt_media_added_ml: Milliliters,
  cumulative_waste_removed_ml: Milliliters,
} satisfies Record<BioreactorVariable, unknown>)
export type BioreactorValues = Static<typeof BioreactorValues>

/** Those values of a vial. */
export const bioreactorValues = ({
  volume_ml,
  efflux_tube_volume_ml,
  composition,
  added_ml,
  removed_ml,
}: Liquid): BioreactorValues => ({
  current_volume_ml: volume_ml,
  efflux_tube_volume_ml,
  alt_media_fraction: composition['alt_media'] ?? 0,
  cumulative_media_added_ml: added_ml['media'] ?? 0,
  cumulative_alt_media_added_ml: added_ml['alt_media'] ?? 0,
  cumulative_waste_removed_ml: removed_ml,
})

/** A pump that runs: what it has moved is in the account up to `since`. */
const Pumping = Type.Object({
  event: Type.String(),
  source_of_event: Type.String(),
  since: Timestamp,
  /** More than this it will not move. */
  left_ml: Milliliters,
  ml_per_s: Type.Number({ minimum: 0, unit: 'mL/s' }),
})
export type Pumping = Static<typeof Pumping>

const LiquidAccount = Type.Object({
  liquid: Liquid,
  capacity_ml: Milliliters,
  pumping: Type.Array(Pumping),
  timestamp: Timestamp,
})
export type LiquidAccount = Static<typeof LiquidAccount>

export const liquidEvent = defineEvent({
  pattern: 'system/<unit>/liquids/<experiment>',
  retained: true,
  payload: LiquidAccount,
  doc: 'The account of the liquid in the vial of an experiment, up to `timestamp`: volume, share of every medium, what was added, removed and spilled, and the pumps that run.',
})

/** A vial that had more poured into it than it holds. */
const VialOverflow = Type.Object({
  /** Had no room, since the account began. */
  spilled_ml: Milliliters,
  volume_ml: Milliliters,
  capacity_ml: Milliliters,
  /** What made it overflow last. */
  event: Type.String(),
  source_of_event: Type.Union([Type.String(), Type.Null()]),
  timestamp: Timestamp,
})

export const overflowEvent = defineEvent({
  pattern: 'system/<unit>/liquids/<experiment>/overflow',
  retained: true,
  payload: VialOverflow,
  doc: 'Alarm: doses came to more than the vial holds. The account stays at the capacity and goes on from there; the alarm is cleared when the volume is below it again.',
})
