import { Type } from '@sinclair/typebox'
import { bioreactorCommands } from '../../events/bioreactor/commands.js'
import { bioreactorEvents } from '../../events/bioreactor/events.js'
import { setting } from '../../events/core/setting.js'
import { jobCommands } from '../../events/system/commands.js'
import { together } from '../aftermath/aftermath.js'
import { jobsLost } from '../jobs/jobs-lost.js'
import { defineInstrument } from '../runtime/instrument.js'
import { boardSettings } from './board/board-settings.js'
import { makeBoardSafe } from './board/make-safe.js'
import { outputsOff } from './board/outputs-off.js'
import { sessionsTold } from './calibration-sessions/sessions-told.js'
import { filesTold } from './calibrations/files-told.js'
import { experimentsKnown } from './experiments/experiment-service.js'
import { dosesBrokenOff } from './liquids/doses-broken-off.js'

const bioreactorSettings = {
  ...boardSettings,
  RESUME_JOBS: setting(Type.String(), '', 'Jobs to start again after a crash, comma-separated.'),
}
export type BioreactorSettings = typeof bioreactorSettings

/** The Pioreactor HAT with its vessel: stirrer, pumps, heater, LEDs and photodiodes, driven by jobs. */
export const bioreactor = defineInstrument({
  name: 'bioreactor',
  doc: 'A Pioreactor: stirrer, pumps, heater, LEDs and photodiodes, driven by jobs.',
  topics: {
    root: 'pioreactor',
    // Which experiment a unit belongs to, profiles, and its own log lines.
    leader: ['pioreactor/+/$experiment/assignment', 'pioreactor/+/+/experiment_profile/#', 'pioreactor/+/+/logs/#'],
    decided: ['pioreactor/+/$experiment/assignment'],
    passing: ['pioreactor/+/+/logs/#'],
    workers: ['pioreactor/+/#'],
    // Blinks the LED of a unit (Pioreactor 26.7, monitor job).
    orders: ['pioreactor/+/+/monitor/flicker_led_response_okay'],
  },
  events: bioreactorEvents,
  commands: [...jobCommands, ...bioreactorCommands],
  settings: bioreactorSettings,
  jobs: async () => (await import('./index.js')).jobDefinitions,
  outputs: ['pwm', 'leds'],
  makeSafe: makeBoardSafe,
  start: async (context, past) => (await import('./start-bioreactor.js')).startBioreactor(context, past),
  aftermath: together([jobsLost, outputsOff, dosesBrokenOff, filesTold, sessionsTold, experimentsKnown]),
})
