import { Type } from '@sinclair/typebox'
import { choice } from '../../../../events/core/values.js'
import { addedMl } from '../../control/dosing/dose-plan.js'
import {
  BIOMASS_SIGNALS,
  type BiomassSignal,
  type DosingSeen,
  dosingAutomation,
  withPumps,
} from '../dosing-automation.js'
import { DoseVolume, shown } from './dose-parameters.js'
import { freshValue, STALE_S } from './fresh-reading.js'

/** After a dose the signal is unsteady: bubbles, and medium that is not mixed yet, s. Source: Pioreactor 26.7. */
const SETTLING_S = 30

type SignalSetting = BiomassSignal | 'auto'

interface Memory {
  /** What the setting stood for when it was made. */
  readonly resolved: { readonly setting: SignalSetting; readonly signal: BiomassSignal } | null
  /** Time of the last reading that was judged. */
  readonly judgedS: number
}

const NOTHING_JUDGED: Memory = { resolved: null, judgedS: Number.NEGATIVE_INFINITY }

/** `auto` is decided once, when it is set: a calibration that comes later does not change what the target means. */
const resolve = (setting: SignalSetting, { auto_signal }: DosingSeen, { resolved }: Memory): BiomassSignal => {
  if (setting !== 'auto') return setting
  return resolved?.setting === 'auto' ? resolved.signal : auto_signal
}

/** Source: Pioreactor 26.7. */
export const turbidostat = withPumps(
  ['media', 'waste'],
  dosingAutomation(
    {
      name: 'turbidostat',
      help: 'Exchange medium whenever the culture has become as dense as the target.',
      parameters: {
        exchange_volume_ml: {
          schema: DoseVolume,
          unit: 'mL',
          doc: 'Medium that comes and culture that goes each time.',
          settable: true,
          default: 1,
        },
        target_biomass: {
          schema: Type.Number({ exclusiveMinimum: 0, maximum: 1000 }),
          unit: 'OD/AU',
          doc: 'Density at which medium is exchanged, in the unit of the signal.',
          settable: true,
        },
        biomass_signal: {
          schema: choice([...BIOMASS_SIGNALS, 'auto']),
          doc: 'What tells the density: od of the first photodiode, od_fused, normalized_od, or the best of them the unit has.',
          settable: true,
          config: ['dosing_automation.turbidostat', 'biomass_signal'],
          default: 'auto',
        },
      },
    },
    {
      schedule: 'on_news',
      memory: NOTHING_JUDGED,
      decide: ({ seen, settings: { target_biomass, exchange_volume_ml, biomass_signal }, memory }) => {
        const signal = resolve(biomass_signal, seen, memory)
        const resolved = { setting: biomass_signal, signal }
        const reading = seen[signal]
        // News of another signal, or the same reading again.
        if (reading === null || reading.atS === memory.judgedS) return { memory: { ...memory, resolved } }
        const judged = { resolved, judgedS: reading.atS }
        const sinceS = seen.lastDoseEndedS === null ? Number.POSITIVE_INFINITY : reading.atS - seen.lastDoseEndedS
        // By a clock that was set back meanwhile the dose is still to come.
        const isSettled = sinceS >= SETTLING_S || sinceS < -STALE_S
        if (!isSettled || freshValue(signal, reading, seen.nowS) < target_biomass) return { memory: judged }
        return { memory: judged, want: { media_ml: exchange_volume_ml, waste_ml: exchange_volume_ml } }
      },
      report: (done, _, { seen, settings: { target_biomass, exchange_volume_ml, biomass_signal }, memory }) => {
        const signal = resolve(biomass_signal, seen, memory)
        const latest_biomass = seen[signal]?.value ?? null
        return {
          event_name: 'DilutionEvent',
          message: `${signal} ${latest_biomass} reached ${target_biomass}; exchanged ${shown(addedMl(done))}`,
          data: {
            latest_biomass,
            target_biomass,
            resolved_biomass_signal: signal,
            exchange_volume_ml,
            volume_actually_moved_ml: addedMl(done),
          },
        }
      },
    },
  ),
)
