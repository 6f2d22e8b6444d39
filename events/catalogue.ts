import { bioreactorEvents } from './bioreactor/events.js'
import type { EventDefinition } from './core/define-event.js'
import { nasEvents } from './nas/events.js'
import { potentiostatEvents } from './potentiostat/events.js'
import { systemEvents } from './system/events.js'

/** Every event the unit publishes beside the settings of its jobs. */
export const eventCatalogue: readonly EventDefinition[] = [
  ...systemEvents,
  ...bioreactorEvents,
  ...potentiostatEvents,
  ...nasEvents,
]
