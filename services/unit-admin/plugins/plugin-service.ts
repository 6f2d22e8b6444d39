import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { publishEvent } from '../../../bus/publish-event.js'
import { type LogMessage, logEvent } from '../../../events/bioreactor/logs.js'
import { isDefect } from '../../../events/core/errors.js'
import { timestampOf } from '../../../events/core/timestamp.js'
import { InstallsDisallowed } from '../../../events/plugins/errors.js'
import { checkInstalledName, parsePluginName, parsePluginSource } from '../../../events/plugins/plugin-order.js'
import {
  DISALLOW_INSTALLS,
  installPluginTask,
  pluginEvent,
  uninstallPluginTask,
} from '../../../events/plugins/plugins.js'
import { ServicesSuspended } from '../../../events/system/errors.js'
import { isRegularFile } from '../../../primitives/read-regular-file.js'
import { createSerialQueue } from '../../../primitives/serial-queue.js'
import type { RetainedText } from '../../aftermath/retained.js'
import { repeat } from '../../runtime/repeat.js'
import type { Service, ServiceContext } from '../../runtime/service.js'
import { createTaskLog } from '../../runtime/task-log.js'
import { checkOrder, installPlugin } from './install-plugin.js'
import { readInstalledPlugins } from './installed-plugins.js'
import type { NpmSettings } from './npm.js'
import { PackageDirectories } from './package-directories.js'
import { uninstallPlugin } from './uninstall-plugin.js'

export interface PluginContext extends ServiceContext {
  readonly npm: NpmSettings
}

/** How soon a file that somebody put there by hand is noticed; clients may keep an answer as long. */
const LOOK_EVERY_S = 5
const MAX_WARNED = 200

/** Owns the plugins below `DOT_PIOREACTOR`: installs and removes them, and tells which there are, those that came by hand included. None is run.
 * @param past what is retained of earlier lives */
export async function startPluginService(context: PluginContext, past: readonly RetainedText[]): Promise<Service> {
  const { unit, bus, clock, dotPioreactor, npm } = context
  const logger = context.logger.child({ service: 'plugins' })
  const directory = join(dotPioreactor, 'plugins')
  const packages = new PackageDirectories(directory)
  const tasks = createTaskLog(context)
  const serially = createSerialQueue()
  const stop = new AbortController()
  const told = new Map(
    past.flatMap(({ topic, text }) =>
      pluginEvent.levels(topic)?.unit === unit ? [[topic, withoutTime(text)] as const] : [],
    ),
  )
  const warned = new Set<string>()
  let suspended: string | null = null
  let working: Promise<unknown> = Promise.resolve()

  async function look(): Promise<void> {
    const { plugins, problems } = await readInstalledPlugins(directory, packages)
    for (const problem of problems) {
      if (warned.has(problem) || warned.size >= MAX_WARNED) continue
      warned.add(problem)
      logger.error({ problem }, 'plugin is left out')
    }
    const present = new Map(
      plugins.map(({ kind, level, plugin }) => [pluginEvent.topic({ unit, plugin_kind: kind, plugin: level }), plugin]),
    )
    for (const topic of told.keys()) {
      if (present.has(topic)) continue
      await bus.publish(topic, '', { retain: true })
      told.delete(topic)
    }
    for (const [topic, plugin] of present) {
      const text = JSON.stringify(plugin)
      if (told.get(topic) === text) continue
      const record = pluginEvent.encode({ ...plugin, timestamp: timestampOf(clock.now()) })
      await bus.publish(topic, record, { retain: true })
      told.set(topic, text)
    }
  }

  async function log(level: 'notice' | 'warning' | 'error', message: string): Promise<void> {
    const entry: LogMessage = {
      ...{ source: 'app', task: 'plugins', message, level: level.toUpperCase() },
      timestamp: timestampOf(clock.now()),
    }
    await publishEvent(bus, logEvent, { unit, experiment: '$experiment', source: 'app', level }, entry)
  }

  /** Tells of what was changed before the task is over, and in the log of the unit how it ended. */
  const change = (what: string, work: () => Promise<'done' | 'nothing'>) => async (): Promise<boolean> => {
    const attempt = work()
    working = attempt.catch(() => undefined)
    try {
      const end = await attempt
      await serially(look)
      await (end === 'done' ? log('notice', `${what}: done.`) : log('warning', `${what}: there is none.`))
      return true
    } catch (error) {
      if (!isDefect(error)) await log('error', `${what}: ${(error as Error).message}`)
      throw error
    }
  }

  async function admit(): Promise<void> {
    if (suspended !== null) throw new ServicesSuspended(`Nothing is changed now: ${suspended}.`)
    if (!(await isRegularFile(join(dotPioreactor, DISALLOW_INSTALLS)))) return
    throw new InstallsDisallowed(`${DISALLOW_INSTALLS} is present`)
  }

  // What cannot be mended here costs the plugins, not the unit.
  await packages.recover().catch((error: unknown) => logger.error({ err: error }, 'interrupted installs not tidied up'))
  await serially(look)
  const rounds = repeat({
    clock,
    intervalS: LOOK_EVERY_S,
    tick: () => (suspended === null ? serially(look) : undefined),
    onError: (error) => logger.warn({ err: error }, 'plugins not looked at'),
  })

  return {
    name: 'plugins',
    commands: [
      tasks.answer(installPluginTask, async ({ name, source }) => {
        await admit()
        const [order, origin] = [parsePluginName(name), parsePluginSource(source)]
        checkOrder(order, origin)
        return change(`Installing plugin ${order.name}`, async () => {
          await mkdir(directory, { recursive: true })
          await installPlugin(order, origin, { directory, packages, npm, serially, stop: stop.signal })
          return 'done'
        })
      }),
      tasks.answer(uninstallPluginTask, async ({ name }) => {
        await admit()
        checkInstalledName(name)
        return change(`Uninstalling plugin ${name}`, async () =>
          (await serially(() => uninstallPlugin(directory, packages, name))) ? 'done' : 'nothing',
        )
      }),
    ],
    async suspend(reason) {
      suspended = reason
    },
    async resume() {
      suspended = null
    },
    async stop() {
      stop.abort()
      await tasks.stop()
      await working
      await rounds.stop()
    },
  }
}

/** The plugin as it was told; an empty text when it cannot be read. */
function withoutTime(text: string): string {
  try {
    const { timestamp: _, ...plugin } = pluginEvent.parse(text)
    return JSON.stringify(plugin)
  } catch {
    return ''
  }
}
