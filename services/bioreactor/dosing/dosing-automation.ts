import { Type } from '@sinclair/typebox'
import { defineAutomationKind } from '../../../events/core/define-automation.js'
import { automationsOf } from '../../jobs/automation.js'

const volume = { schema: Type.Number({ minimum: 0 }), unit: 'mL', option: { hidden: true } } as const

const dosingKind = defineAutomationKind({
  kind: 'dosing',
  help: 'Add and remove liquid by a rule.',
  stopOrder: 'automations',
  parameters: {
    alt_media_fraction: {
      schema: Type.Number({ minimum: 0, maximum: 1 }),
      doc: 'Share of the alternative medium; by default as it was kept for the experiment.',
      option: { hidden: true },
    },
    current_volume_ml: { ...volume, doc: 'Volume in the vial; by default as it was kept for the experiment.' },
    efflux_tube_volume_ml: { ...volume, doc: 'Volume at the end of the efflux tube; by default as it was kept.' },
    max_subdose_ml: {
      schema: Type.Number({ exclusiveMinimum: 0 }),
      unit: 'mL',
      doc: 'Larger doses are given in halves, and those in halves again.',
      config: ['dosing_automation.config', 'max_subdose'],
      default: 1,
    },
    waste_removal_multiplier: {
      schema: Type.Number({ minimum: 0 }),
      doc: 'How much longer than the dose the waste pump runs.',
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

/** What a dosing automation is shown. Signals are null when nothing has measured them for 5 min. */
export interface DosingSeen {
  readonly current_volume_ml: number
  readonly alt_media_fraction: number
  readonly normalized_od: number | null
  readonly growth_rate: number | null
}

/** What it wants pumped, and what was. */
export interface Dose {
  readonly media_ml: number
  readonly alt_media_ml: number
  readonly waste_ml: number
}

/** Declares a dosing automation. */
export const dosingAutomation = automationsOf<DosingSeen, Dose, Dose>()(dosingKind)
