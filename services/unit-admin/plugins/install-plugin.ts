import { copyFile, lstat, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { LabError } from '../../../events/core/errors.js'
import { InvalidPluginName } from '../../../events/plugins/errors.js'
import { isSameName, PLUGIN_FILE, type PluginName, type PluginOrigin } from '../../../events/plugins/plugin-order.js'
import { readRegularFile } from '../../../primitives/read-regular-file.js'
import { replaceFile } from '../../../primitives/replace-file.js'
import { NotAPlugin, PluginNotInstalled, PythonPackage } from './errors.js'
import { MAX_PLUGIN_BYTES } from './installed-plugins.js'
import { type NpmSettings, npmInstall } from './npm.js'
import type { PackageDirectories } from './package-directories.js'
import { type PluginManifest, pluginOfPackage } from './plugin-metadata.js'

export interface InstallDeps {
  /** Of the plugins. */
  readonly directory: string
  readonly packages: PackageDirectories
  readonly npm: NpmSettings
  readonly stop: AbortSignal
  /** Does what changes the installed ones while nobody looks at them. */
  readonly serially: <T>(work: () => Promise<T>) => Promise<T>
}

const MAX_ARCHIVE_BYTES = 200 * 1024 * 1024

/** What can be said of an order before anything is done. @throws InvalidPluginName, PythonPackage */
export function checkOrder({ name, version }: PluginName, origin: PluginOrigin): void {
  if (version !== null && origin.kind !== 'registry') {
    throw new InvalidPluginName('A version is given with a name of the registry alone; a source has the one it has.')
  }
  if (origin.kind === 'python')
    throw new PythonPackage(`${name} comes as a package of Python, which does not run here.`)
  if (origin.kind === 'file' && !PLUGIN_FILE.test(name + origin.suffix)) {
    throw new InvalidPluginName(`${name} cannot be the name of a file.`)
  }
}

/** Installs a plugin in the place of one of the same name. When it rejects, everything is as it was.
 * @throws PluginNotInstalled, NotAPlugin */
export async function installPlugin(order: PluginName, origin: PluginOrigin, deps: InstallDeps): Promise<void> {
  try {
    if (origin.kind === 'file') await installFile(order.name, origin, deps)
    else await installPackage(order, origin, deps)
  } catch (cause) {
    if (cause instanceof LabError) throw cause
    const { message } = cause as Error
    throw new PluginNotInstalled(`${order.name} could not be installed: ${message}.`, { cause })
  }
}

async function installFile(
  name: string,
  { path, suffix }: Extract<PluginOrigin, { kind: 'file' }>,
  { directory, serially }: InstallDeps,
): Promise<void> {
  const content = await readRegularFile(path, MAX_PLUGIN_BYTES)
  const filename = name + suffix
  await serially(() =>
    replaceFile(join(directory, filename), content, { mode: 0o600, draft: join(directory, `.${filename}.tmp`) }),
  )
}

async function installPackage(order: PluginName, origin: PluginOrigin, deps: InstallDeps): Promise<void> {
  const { packages, npm, stop, serially } = deps
  const prefix = await packages.prepare()
  try {
    const archive = join(prefix, 'source.tgz')
    await npmInstall({ ...npm, prefix, spec: await specOf(order, origin, archive), stop })
    const { plugin, isPlugin } = await manifestOf(prefix)
    if (!isSameName(plugin.name, order.name)) {
      throw new NotAPlugin(`The package is called ${plugin.name}, not ${order.name}.`)
    }
    if (!isPlugin) throw new NotAPlugin(`${plugin.name} is no plugin of Benchlog.`)
    await rm(archive, { force: true })
    await rm(join(prefix, '.cache'), { recursive: true, force: true })
    await serially(() => packages.place(plugin.name, prefix))
  } finally {
    await packages.discard(prefix)
  }
}

/** What npm is told to install. */
async function specOf({ name, version }: PluginName, origin: PluginOrigin, archive: string): Promise<string> {
  switch (origin.kind) {
    case 'archive': {
      const info = await lstat(origin.path)
      if (!info.isFile() || info.size > MAX_ARCHIVE_BYTES) {
        throw new PluginNotInstalled(`${origin.path} is no file of at most ${MAX_ARCHIVE_BYTES / 1024 ** 2} MiB.`)
      }
      // Its path may hold what npm takes for something else.
      await copyFile(origin.path, archive)
      return archive
    }
    case 'directory': {
      if (!(await lstat(join(origin.path, 'package.json'))).isFile()) {
        throw new PluginNotInstalled(`${origin.path} has no package.json.`)
      }
      return origin.path
    }
    case 'address':
      return origin.url
    default:
      return version === null ? name : `${name}@${version}`
  }
}

/** Of the one package that was asked for. */
async function manifestOf(prefix: string): Promise<PluginManifest> {
  const { dependencies = {} } = JSON.parse(await readFile(join(prefix, 'package.json'), 'utf8')) as {
    readonly dependencies?: Readonly<Record<string, string>>
  }
  const [name = ''] = Object.keys(dependencies)
  return pluginOfPackage(
    (await readRegularFile(join(prefix, 'node_modules', name, 'package.json'), MAX_PLUGIN_BYTES)).toString(),
  )
}
