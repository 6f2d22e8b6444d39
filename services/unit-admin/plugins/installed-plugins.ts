import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { PLUGIN_FILE } from '../../../events/plugins/plugin-order.js'
import type { Plugin, PluginKind } from '../../../events/plugins/plugins.js'
import { readRegularFile } from '../../../primitives/read-regular-file.js'
import type { PackageDirectories } from './package-directories.js'
import { pluginOfFile, pluginOfPackage } from './plugin-metadata.js'

/** Of a file that is a plugin, and of a package.json. */
export const MAX_PLUGIN_BYTES = 1024 * 1024
const MAX_PLUGINS = 200

export interface InstalledPlugin {
  readonly kind: PluginKind
  /** Of the file, or the encoded one of the package: one level of a topic. */
  readonly level: string
  readonly plugin: Plugin
}

export interface InstalledPlugins {
  readonly plugins: readonly InstalledPlugin[]
  /** Why some are left out. */
  readonly problems: readonly string[]
}

/** What is installed below the directory of the plugins. One that cannot be read costs itself. */
export async function readInstalledPlugins(directory: string, packages: PackageDirectories): Promise<InstalledPlugins> {
  const plugins: InstalledPlugin[] = []
  const problems: string[] = []
  const attempt = async (what: string, read: () => Promise<InstalledPlugin>): Promise<void> => {
    try {
      if (plugins.length >= MAX_PLUGINS) throw new Error(`only ${MAX_PLUGINS} plugins are listed`)
      plugins.push(await read())
    } catch (error) {
      problems.push(`${what}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  const names = await packages.names().catch((error: Error) => {
    problems.push(`plugins/packages: ${error.message}`)
    return []
  })
  for (const name of names) {
    const level = encodeURIComponent(name)
    await attempt(`plugins/packages/${level}`, async () => {
      const text = await readRegularFile(join(packages.contents(name), 'package.json'), MAX_PLUGIN_BYTES)
      const { plugin } = pluginOfPackage(text.toString())
      if (plugin.name !== name) throw new Error(`its package.json calls it ${plugin.name}`)
      return { kind: 'packages', level, plugin }
    })
  }
  for (const filename of await filesIn(directory)) {
    await attempt(`plugins/${filename}`, async () => {
      const text = await readRegularFile(join(directory, filename), MAX_PLUGIN_BYTES)
      return { kind: 'files', level: filename, plugin: pluginOfFile(filename, text.toString()) }
    })
  }
  return { plugins, problems }
}

async function filesIn(directory: string): Promise<readonly string[]> {
  const names = await readdir(directory).catch(() => [])
  return names.filter((name) => PLUGIN_FILE.test(name)).sort()
}
