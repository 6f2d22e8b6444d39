import { bioreactorEvents } from './bioreactor/events.js'
import type { CommandDefinition } from './core/define-command.js'
import type { EventDefinition } from './core/define-event.js'
import { nasCommands } from './nas/commands.js'
import { nasEvents } from './nas/events.js'
import { potentiostatCommands } from './potentiostat/commands.js'
import { potentiostatEvents } from './potentiostat/events.js'
import { jobCommands } from './system/commands.js'
import { systemEvents } from './system/events.js'

/** Every event the unit publishes beside the settings of its jobs. */
export const eventCatalogue: readonly EventDefinition[] = [
  ...systemEvents,
  ...bioreactorEvents,
  ...potentiostatEvents,
  ...nasEvents,
]

/** Every command that is no `/set`. */
export const commandCatalogue: readonly CommandDefinition[] = [...jobCommands, ...potentiostatCommands, ...nasCommands]
