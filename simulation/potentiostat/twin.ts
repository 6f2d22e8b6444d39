import { Type } from '@sinclair/typebox'
import { setting } from '../../events/core/setting.js'
import { defineTwin } from '../twin.js'

/** The virtual potentiostats of the bench, with a Randles cell each. */
export const potentiostatTwin = defineTwin({
  settings: {
    SIMULATED_POTENTIOSTATS: setting(
      Type.Integer({ minimum: 0, maximum: 64 }),
      2,
      'Virtual potentiostats of the simulated bench.',
    ),
  },
  async start({ onOutput, ...context }, { SIMULATED_POTENTIOSTATS: count }) {
    const { createBenchPotentiostats } = await import('./bench-potentiostats.js')
    const onCellSwitch = (serial: string, closed: boolean): void => onOutput('cell_switches', serial, closed)
    return createBenchPotentiostats({ ...context, count, onCellSwitch })
  },
})
