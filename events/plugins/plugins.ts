import { type Static, Type } from '@sinclair/typebox'
import type { CommandDefinition } from '../core/define-command.js'
import { defineEvent, type EventDefinition } from '../core/define-event.js'
import { defineTask } from '../core/define-task.js'
import { Timestamp } from '../core/timestamp.js'

const TextOrNull = Type.Union([Type.String(), Type.Null()])

/** A plugin as clients of the unit API know it. Source: `unit-api-behaviour` §9.4. */
export const Plugin = Type.Object({
  name: Type.String(),
  /** `Unknown` where a file does not say; the same holds for what follows. */
  version: Type.String(),
  description: TextOrNull,
  homepage: TextOrNull,
  /** `entry_points` for a package, else the file: `plugins/<file>`. */
  source: Type.String(),
  author: TextOrNull,
})
export type Plugin = Static<typeof Plugin>

export const PluginRecord = Type.Object({ ...Plugin.properties, timestamp: Timestamp })
export type PluginRecord = Static<typeof PluginRecord>

/** What `source` of a package is. */
export const PACKAGE_SOURCE = 'entry_points'

/** Packages lie in a directory of their own each, files directly among the plugins. */
export const PLUGIN_KINDS = ['packages', 'files'] as const
export type PluginKind = (typeof PLUGIN_KINDS)[number]

/** One that is removed is cleared. */
export const pluginEvent = defineEvent({
  pattern: 'system/<unit>/plugins/<plugin_kind>/<plugin>',
  retained: true,
  payload: PluginRecord,
  doc: 'A plugin is installed, in this version; installed is not loaded.',
})

export const pluginEvents: readonly EventDefinition[] = [pluginEvent]

/** Below `DOT_PIOREACTOR`: as long as this file is there, nobody installs or removes plugins from afar. */
export const DISALLOW_INSTALLS = 'DISALLOW_UI_INSTALLS'

/** Changes of what is installed are done one after the other. */
const oneByOne = { lock: 'plugins-lock', whenLocked: 'wait' } as const

export const installPluginTask = defineTask({
  name: 'install_plugin',
  payload: Type.Object({
    name: Type.String({ description: 'Of the plugin; of a package of the registry also with a version, name@1.2.3.' }),
    source: Type.Union([Type.String(), Type.Null()], {
      default: null,
      description: 'Where it comes from: a path or an https address; null for the registry.',
    }),
  }),
  result: Type.Boolean(),
  ...oneByOne,
  doc: 'Installs a plugin, or another version of it in its place. It is the old one or the new one, whatever happens meanwhile.',
})

export const uninstallPluginTask = defineTask({
  name: 'uninstall_plugin',
  payload: Type.Object({ name: Type.String() }),
  result: Type.Boolean(),
  ...oneByOne,
  doc: 'Removes a plugin. It succeeds as well when there is none of this name.',
})

export const pluginCommands: readonly CommandDefinition[] = [installPluginTask, uninstallPluginTask]
