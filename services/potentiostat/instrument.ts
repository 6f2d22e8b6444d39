import { setting } from '../../events/core/setting.js'
import { choice } from '../../events/core/values.js'
import { potentiostatCommands } from '../../events/potentiostat/commands.js'
import { potentiostatEvents } from '../../events/potentiostat/events.js'
import { defineInstrument } from '../runtime/instrument.js'
import { openCellSwitches } from './device/make-safe.js'
import { POTENTIOSTAT_PORTS } from './device/registers.js'
import { runsLost } from './runs/runs-lost.js'

const boxSettings = {
  BOX_NULL_GAIN: setting(
    choice(['auto', 'keep']),
    'auto',
    'What `tia_gain: null` of an order means: auto chooses the range by a probe, keep leaves the one the device has.',
  ),
  BOX_LAYOUT: setting(
    choice(['contract', 'wells']),
    'contract',
    "Where new runs keep their slot folders: in the run's directory, or in Wells/ below it.",
  ),
  BOX_FILE_NAME: setting(
    choice(['short', 'full']),
    'short',
    'File names of new runs: experiment, slot and mode, or with subdirectory and date too.',
  ),
}
export type BoxSettings = typeof boxSettings

/** A box of BEEP potentiostats, one to a serial port. */
export const potentiostat = defineInstrument({
  name: 'potentiostat',
  doc: 'A box of BEEP potentiostats on USB serial ports.',
  topics: { root: 'potentiostat' },
  events: potentiostatEvents,
  commands: potentiostatCommands,
  settings: boxSettings,
  serial: POTENTIOSTAT_PORTS,
  outputs: ['potentiostats'],
  makeSafe: openCellSwitches,
  start: async (context, past) => (await import('./runs/box-service.js')).startBoxService(context, past),
  aftermath: runsLost,
})
