import { addedMl, hasRoom } from '../../control/dosing/dose-plan.js'
import { dosingAutomation, withPumps } from '../dosing-automation.js'
import { DoseVolume, duration, shown } from './dose-parameters.js'

/** Source: Pioreactor 26.7; large doses are given in parts here too. */
export const fedBatch = withPumps(
  ['media'],
  dosingAutomation(
    {
      name: 'fed_batch',
      help: 'Add medium at regular times and remove nothing. Somebody has to lower the level.',
      parameters: {
        duration: { ...duration, default: 720 },
        dosing_volume_ml: {
          schema: DoseVolume,
          unit: 'mL',
          doc: 'Medium that is added each time.',
          settable: true,
          default: 1,
        },
      },
    },
    {
      schedule: 'periodic',
      decide: ({ seen: { current_volume_ml, max_fill_ml }, settings: { dosing_volume_ml } }) => {
        if (hasRoom(current_volume_ml, dosing_volume_ml, max_fill_ml)) {
          return { want: { media_ml: dosing_volume_ml, waste_ml: 0 } }
        }
        const message = `No room for ${shown(dosing_volume_ml)}: the vial holds ${shown(current_volume_ml)} and may be filled to ${shown(max_fill_ml)}.`
        return { pause: message, event: { event_name: 'NoEvent', message, data: null } }
      },
      report: (done) => ({ event_name: 'AddMediaEvent', message: `added ${shown(addedMl(done))}`, data: null }),
    },
  ),
)
