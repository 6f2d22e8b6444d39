import { Type } from '@sinclair/typebox'
import { defineAutomationKind } from '../../../events/core/define-automation.js'
import { type Automation, automationsOf } from '../../jobs/automation.js'
import type { Dose } from '../control/dosing/dose-plan.js'

const volume = { schema: Type.Number({ minimum: 0 }), unit: 'mL', option: { hidden: true }, once: true } as const

const dosingKind = defineAutomationKind({
  kind: 'dosing',
  help: 'Add and remove liquid by a rule.',
  stopOrder: 'automations',
  parameters: {
    alt_media_fraction: {
      schema: Type.Number({ minimum: 0, maximum: 1 }),
      doc: 'Share of the alternative medium; by default as it was kept for the experiment.',
      option: { hidden: true },
      once: true,
    },
    current_volume_ml: { ...volume, doc: 'Volume in the vial; by default as it was kept for the experiment.' },
    efflux_tube_volume_ml: { ...volume, doc: 'Volume at the end of the efflux tube; by default as it was kept.' },
    max_subdose_ml: {
      schema: Type.Number({ exclusiveMinimum: 0 }),
      unit: 'mL',
      doc: 'Larger doses are given in equal parts, with waste after each.',
      config: ['dosing_automation.config', 'max_subdose'],
      default: 1,
    },
    waste_removal_multiplier: {
      schema: Type.Number({ minimum: 0 }),
      doc: 'How much longer the waste pump runs than the dose takes, in multiples of it; it draws air then.',
      config: ['dosing_automation.config', 'waste_removal_multiplier'],
      default: 2,
    },
    pause_between_subdoses_s: {
      schema: Type.Number({ minimum: 0 }),
      unit: 's',
      doc: 'Time to mix after each addition.',
      config: ['dosing_automation.config', 'pause_between_subdoses_seconds'],
      default: 5,
    },
  },
})

/** A value and when it was measured, Unix s. */
export interface Reading {
  readonly value: number
  readonly atS: number
}

/** What biomass can be told by. */
export const BIOMASS_SIGNALS = ['od', 'od_fused', 'normalized_od'] as const
export type BiomassSignal = (typeof BIOMASS_SIGNALS)[number]

/** What a dosing automation is shown. Readings are those of this run of the jobs that measure, null before the first. */
export interface DosingSeen extends Readonly<Record<BiomassSignal, Reading | null>> {
  /** Unix s, as the times of the readings. */
  readonly nowS: number
  readonly growth_rate: Reading | null
  readonly current_volume_ml: number
  readonly alt_media_fraction: number
  /** Nothing is added from here on. */
  readonly max_fill_ml: number
  /** What `auto` means on this unit now: the fused OD when it has an estimator, else OD when that is calibrated, else the normalized one. */
  readonly auto_signal: BiomassSignal
  /** When a pump stopped last, whatever had started it; null before the first. */
  readonly lastDoseEndedS: number | null
}

/** Declares a dosing automation: it wants doses, and what was done is what really moved. */
export const dosingAutomation = automationsOf<DosingSeen, Dose, Dose>()(dosingKind)

export interface DosingAutomation extends Automation<DosingSeen, Dose, Dose> {
  /** Those it may want; it starts only when each is wired and calibrated. */
  readonly pumps: readonly string[]
}

/** Says which pumps an automation needs. */
export const withPumps = (
  pumps: readonly string[],
  automation: Automation<DosingSeen, Dose, Dose>,
): DosingAutomation => ({ ...automation, pumps })
