import type { LedAutomation } from '../led-automation.js'
import { lightDarkCycle } from './light-dark-cycle.js'
import { silent } from './silent.js'

/** The LED automations on offer. A new one has its line here. */
export const ledAutomations: readonly LedAutomation[] = [silent, lightDarkCycle]
