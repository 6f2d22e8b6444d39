import type { DosingAutomation } from '../dosing-automation.js'
import { chemostat } from './chemostat.js'
import { fedBatch } from './fed-batch.js'
import { pidMorbidostat } from './pid-morbidostat.js'
import { silent } from './silent.js'
import { turbidostat } from './turbidostat.js'

/** The dosing automations on offer. A new one has its line here. */
export const dosingAutomations: readonly DosingAutomation[] = [silent, turbidostat, chemostat, fedBatch, pidMorbidostat]
