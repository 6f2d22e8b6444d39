import { addedMl } from '../../control/dosing/dose-plan.js'
import { dosingAutomation, withPumps } from '../dosing-automation.js'
import { DoseVolume, duration, shown } from './dose-parameters.js'

/** Source: Pioreactor 26.7. */
export const chemostat = withPumps(
  ['media', 'waste'],
  dosingAutomation(
    {
      name: 'chemostat',
      help: 'Exchange a volume of medium at regular times.',
      parameters: {
        duration: { ...duration, default: 20 },
        exchange_volume_ml: {
          schema: DoseVolume,
          unit: 'mL',
          doc: 'Medium that comes and culture that goes each time.',
          settable: true,
          default: 0.5,
        },
      },
    },
    {
      schedule: 'periodic',
      decide: ({ settings: { exchange_volume_ml } }) => ({
        want: { media_ml: exchange_volume_ml, waste_ml: exchange_volume_ml },
      }),
      report: (done, _, { settings: { exchange_volume_ml } }) => ({
        event_name: 'DilutionEvent',
        message: `exchanged ${shown(addedMl(done))}`,
        data: { exchange_volume_ml, volume_actually_cycled_ml: addedMl(done) },
      }),
    },
  ),
)
