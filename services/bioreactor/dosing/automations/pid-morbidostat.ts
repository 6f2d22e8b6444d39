import { Type } from '@sinclair/typebox'
import { roundHalfEven } from '../../../../primitives/round.js'
import { PID_AT_REST, pidLog, pidStep } from '../../control/pid.js'
import { dosingAutomation, withPumps } from '../dosing-automation.js'
import { DoseVolume, duration, shown } from './dose-parameters.js'
import { freshValue } from './fresh-reading.js'

/** Nothing is done in a culture thinner than this share of the target. */
const THIN = 0.7
/** A culture denser than this multiple of the target gets more. */
const DENSE = 1.25
const MORE_WHEN_DENSE = 2.5

const PID = 'dosing_automation.pid_morbidostat'
const gain = { schema: Type.Number(), unit: 'per h⁻¹' }

/** Holds the growth rate by the share of the alternative medium, which slows the cells, and dilutes at the target growth rate.
 * Source: Pioreactor 26.7. */
export const pidMorbidostat = withPumps(
  ['media', 'alt_media', 'waste'],
  dosingAutomation(
    {
      name: 'pid_morbidostat',
      help: 'Hold the growth rate by the share of the alternative medium, such as one with a drug.',
      parameters: {
        duration: { ...duration, default: 60 },
        target_normalized_od: {
          schema: Type.Number({ exclusiveMinimum: 0, maximum: 1000 }),
          unit: 'AU',
          doc: 'Density around which the culture is kept.',
          settable: true,
          default: 1.5,
        },
        target_growth_rate: {
          schema: Type.Number({ minimum: 0, maximum: 3 }),
          unit: 'h⁻¹',
          doc: 'Growth rate to hold; the culture is diluted at this rate too.',
          settable: true,
          default: 0.1,
        },
        minimum_dosing_volume_ml: {
          schema: DoseVolume,
          unit: 'mL',
          doc: 'Less of a medium is not dosed.',
          config: [PID, 'minimum_dosing_volume_ml'],
          default: 0.1,
        },
        Kp: { ...gain, doc: 'Proportional gain: share of the alternative medium.', config: [PID, 'Kp'], default: 1 },
        Ki: { ...gain, doc: 'Integral gain.', config: [PID, 'Ki'], default: 0 },
        Kd: { ...gain, doc: 'Derivative gain.', config: [PID, 'Kd'], default: 0 },
      },
    },
    {
      schedule: 'periodic',
      memory: PID_AT_REST,
      decide: ({ seen, settings, memory }) => {
        const { target_normalized_od, target_growth_rate, duration: minutes, minimum_dosing_volume_ml } = settings
        const density = freshValue('normalized OD', seen.normalized_od, seen.nowS)
        const growthRate = freshValue('growth rate', seen.growth_rate, seen.nowS)
        if (density <= THIN * target_normalized_od) {
          const message = `normalized OD ${density} is at most ${THIN} of the target ${target_normalized_od}; nothing to do`
          return { event: { event_name: 'NoEvent', message, data: null } }
        }
        const hours = minutes / 60
        // Too fast a growth asks for more of the other medium, so the gains count backwards.
        const gains = { Kp: -settings.Kp, Ki: -settings.Ki, Kd: -settings.Kd }
        const limits = { setpoint: target_growth_rate, low: 0, high: 1 }
        const { state, terms } = pidStep({ ...gains, ...limits }, memory, growthRate, hours)
        const isDense = density > DENSE * target_normalized_od
        const rateMl = roundHalfEven(target_growth_rate * seen.current_volume_ml * hours, 4)
        const wholeMl = isDense ? MORE_WHEN_DENSE * rateMl : rateMl
        const atLeast = (ml: number): number => (ml < minimum_dosing_volume_ml ? 0 : ml)
        const alt_media_ml = atLeast(terms.output * wholeMl)
        const media_ml = atLeast((1 - terms.output) * wholeMl)
        const pid = pidLog({ ...gains, ...limits }, terms, growthRate, {
          job_name: 'dosing_automation',
          target_name: 'growth_rate',
        })
        return { memory: state, pid, want: { alt_media_ml, media_ml, waste_ml: alt_media_ml + media_ml } }
      },
      report: ({ alt_media_ml = 0, media_ml = 0 }) => {
        const added = alt_media_ml + media_ml
        const share = added === 0 ? 0 : alt_media_ml / added
        return {
          event_name: 'AddAltMediaEvent',
          message: `added ${shown(alt_media_ml)} of the alternative medium and ${shown(media_ml)} of the other`,
          data: { fraction_of_alt_media_to_add: share, alt_media_ml, media_ml },
        }
      },
    },
  ),
)
