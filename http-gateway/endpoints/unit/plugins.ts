import { basename, join } from 'node:path'
import { Type } from '@sinclair/typebox'
import { defineError } from '../../../events/core/errors.js'
import { InstallsDisallowed, InvalidPluginName, InvalidPluginSource } from '../../../events/plugins/errors.js'
import {
  checkInstalledName,
  PLUGIN_FILE,
  parsePluginName,
  parsePluginSource,
} from '../../../events/plugins/plugin-order.js'
import {
  DISALLOW_INSTALLS,
  installPluginTask,
  PACKAGE_SOURCE,
  Plugin,
  uninstallPluginTask,
} from '../../../events/plugins/plugins.js'
import { isRegularFile, readRegularFile } from '../../../primitives/read-regular-file.js'
import type { GatewayContext } from '../../context.js'
import { type Endpoint, endpoint, SENT } from '../../framework/endpoint.js'
import { withStatus } from '../../framework/errors.js'
import { taskEndpoint } from './task-endpoint.js'

const NoSuchPlugin = withStatus(404, defineError('plugin.unknown', 'input', 'There is no such file of a plugin.'))
const PluginUnreadable = withStatus(
  500,
  defineError('plugin.unreadable', 'state', 'The file of a plugin is there and cannot be read.'),
)

/** More than the services take for a plugin. */
const MAX_BYTES = 1024 * 1024

const INSTALLED = '/unit_api/plugins/installed'

const getPlugins = endpoint({
  method: 'get',
  path: INSTALLED,
  summary: 'The plugins that are installed, packages first. Installed is not loaded.',
  response: Type.Array(Plugin),
  errors: [],
  maxAge: 5,
  async handle({ request }, { readModels, unit }) {
    const served = `${request.protocol}://${request.headers.host ?? 'localhost'}${INSTALLED}`
    return (await readModels.plugins(unit)).map((plugin) =>
      plugin.homepage !== null || plugin.source === PACKAGE_SOURCE
        ? plugin
        : { ...plugin, homepage: `${served}/${encodeURIComponent(basename(plugin.source))}` },
    )
  },
})

const getPluginSource = endpoint({
  method: 'get',
  path: `${INSTALLED}/:filename`,
  summary: 'The text of a plugin that is a single file: .py, .js or .mjs.',
  params: Type.Object({ filename: Type.String() }),
  response: Type.String(),
  produces: 'text/plain',
  needs: 'nothing',
  errors: [NoSuchPlugin, PluginUnreadable],
  async handle({ params: { filename }, response }, { dotPioreactor, memory }) {
    const text = await sourceOf(join(dotPioreactor, 'plugins'), filename)
    memory.take(response, text.length)
    response.setHeader('cache-control', 'public, max-age=5')
    response.setHeader('content-type', 'text/plain; charset=utf-8')
    response.setHeader('x-content-type-options', 'nosniff')
    response.end(text)
    return SENT
  },
})

async function sourceOf(directory: string, filename: string): Promise<Buffer> {
  if (!PLUGIN_FILE.test(filename)) {
    throw new NoSuchPlugin('No plugin has this file name.', {
      remediation: 'Name a file that ends with .py, .js or .mjs.',
    })
  }
  try {
    return await readRegularFile(join(directory, filename), MAX_BYTES)
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT') throw new NoSuchPlugin(`There is no plugin ${filename}.`)
    throw new PluginUnreadable(`${filename} cannot be read.`, { cause, details: { cause: code ?? message } })
  }
}

/** Only the name and `source` matter; the rest is what every order of a client of Pioreactor has. */
const OrderBody = Type.Object({
  args: Type.Array(Type.String(), { default: [] }),
  options: Type.Record(Type.String(), Type.Unknown(), { default: {} }),
  env: Type.Record(Type.String(), Type.String(), { default: {} }),
})

const refuseWhenDisallowed = async (_input: unknown, { dotPioreactor }: GatewayContext): Promise<void> => {
  if (!(await isRegularFile(join(dotPioreactor, DISALLOW_INSTALLS)))) return
  throw new InstallsDisallowed(`${DISALLOW_INSTALLS} is present`, {
    details: { cause: 'Plugin installs are disabled on this unit.' },
  })
}

const installPlugin = taskEndpoint({
  path: '/unit_api/plugins/install',
  summary:
    'Installs a plugin: args holds its name; options.source, when given, a path or an https address. It is not loaded.',
  body: OrderBody,
  example: { args: ['air-bubbler'], options: { source: '/tmp/air-bubbler-1.0.0.tgz' } },
  task: installPluginTask,
  errors: [InstallsDisallowed, InvalidPluginName, InvalidPluginSource],
  admit: refuseWhenDisallowed,
  order({ body: { args, options } }) {
    const [name] = args
    if (name === undefined) throw new InvalidPluginName('The name of a plugin is required.')
    if (args.length > 1) throw new InvalidPluginName('Install one plugin at a time.', countOf(args))
    const { source = null } = options
    if (source !== null && typeof source !== 'string') throw new InvalidPluginSource('options.source must be a text.')
    // Before it is a message: an address may hold a password.
    parsePluginName(name)
    parsePluginSource(source)
    return { name, source }
  },
})

const uninstallPlugin = taskEndpoint({
  path: '/unit_api/plugins/uninstall',
  summary: 'Removes a plugin: args holds its name, which for a single file is that of the file without its ending.',
  body: OrderBody,
  example: { args: ['air-bubbler'] },
  task: uninstallPluginTask,
  errors: [InstallsDisallowed, InvalidPluginName],
  admit: refuseWhenDisallowed,
  order({ body: { args } }) {
    const [name] = args
    if (name === undefined || args.length > 1) {
      throw new InvalidPluginName('Name exactly one plugin to uninstall.', countOf(args))
    }
    checkInstalledName(name)
    return { name }
  },
})

const countOf = (args: readonly string[]) => ({ details: { cause: `args holds ${args.length} names.` } })

export const plugins: readonly Endpoint[] = [getPlugins, getPluginSource, installPlugin, uninstallPlugin]
