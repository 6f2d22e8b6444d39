import type { TemperatureAutomation } from '../temperature-automation.js'
import { onlyRecordTemperature } from './only-record-temperature.js'
import { thermostat } from './thermostat.js'

/** The temperature automations on offer. A new one has its line here. */
export const temperatureAutomations: readonly TemperatureAutomation[] = [thermostat, onlyRecordTemperature]
