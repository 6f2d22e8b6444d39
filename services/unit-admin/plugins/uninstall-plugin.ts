import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { filesCalled, isSameName } from '../../../events/plugins/plugin-order.js'
import { isRegularFile } from '../../../primitives/read-regular-file.js'
import { PluginNotRemoved } from './errors.js'
import type { PackageDirectories } from './package-directories.js'

/** Removes the file of that name, else the package. @returns whether there was one @throws PluginNotRemoved */
export async function uninstallPlugin(directory: string, packages: PackageDirectories, name: string): Promise<boolean> {
  try {
    for (const filename of filesCalled(name)) {
      const path = join(directory, filename)
      if (!(await isRegularFile(path))) continue
      await rm(path)
      return true
    }
    const installed = await packages.names()
    const found = installed.find((other) => other === name) ?? installed.find((other) => isSameName(other, name))
    return found !== undefined && (await packages.remove(found))
  } catch (cause) {
    throw new PluginNotRemoved(`${name} could not be removed: ${(cause as Error).message}.`, { cause })
  }
}
