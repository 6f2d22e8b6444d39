import { configCommands, configEvents } from './config/config.js'
import type { CommandDefinition } from './core/define-command.js'
import type { EventDefinition } from './core/define-event.js'
import { descriptorEvents } from './descriptors/descriptors.js'
import { archiveCommands } from './machine/archive.js'
import { machineCommands } from './machine/commands.js'
import { nasCommands } from './nas/commands.js'
import { nasEvents } from './nas/events.js'
import { pluginCommands, pluginEvents } from './plugins/plugins.js'
import { systemEvents } from './system/events.js'

/** What is published beside the settings of jobs, and every command that is no `/set`. */
export interface Catalogue {
  readonly events: readonly EventDefinition[]
  readonly commands: readonly CommandDefinition[]
}

/** Those of a unit with these instruments. */
export const catalogueOf = (instruments: readonly Catalogue[]): Catalogue => ({
  events: [
    ...systemEvents,
    ...configEvents,
    ...descriptorEvents,
    ...pluginEvents,
    ...instruments.flatMap(({ events }) => events),
    ...nasEvents,
  ],
  commands: [
    ...configCommands,
    ...machineCommands,
    ...archiveCommands,
    ...pluginCommands,
    ...instruments.flatMap(({ commands }) => commands),
    ...nasCommands,
  ],
})
