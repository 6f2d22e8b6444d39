import type { EventDefinition } from '../core/define-event.js'
import { bridgeEvent } from './bridge.js'
import { automationCapabilityEvent, jobCapabilityEvent, jobEvent } from './jobs.js'
import { logStatusEvent } from './log-status.js'
import { outcomeEvent, settingOutcomeEvent } from './outcomes.js'
import { projectionsEvent } from './projections.js'
import { refusalEvent } from './refusals.js'
import { servicePartEvent } from './service-parts.js'
import { safeStateEvent, serviceEvent } from './services.js'
import { taskEvent } from './tasks.js'
import { webServerEvent } from './web-server.js'

/** Events of the unit itself: jobs, tasks, commands, services, log. */
export const systemEvents: readonly EventDefinition[] = [
  jobEvent,
  jobCapabilityEvent,
  automationCapabilityEvent,
  taskEvent,
  outcomeEvent,
  settingOutcomeEvent,
  serviceEvent,
  servicePartEvent,
  safeStateEvent,
  refusalEvent,
  logStatusEvent,
  webServerEvent,
  projectionsEvent,
  bridgeEvent,
]
