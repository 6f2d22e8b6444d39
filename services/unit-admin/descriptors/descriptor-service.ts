import { join, relative } from 'node:path'
import type { Static, TObject } from '@sinclair/typebox'
import type { JobDefinition } from '../../../events/core/define-job.js'
import { timestampOf } from '../../../events/core/timestamp.js'
import {
  AUTOMATION_TYPES,
  AutomationDescriptor,
  automationDescriptorsEvent,
  JobDescriptor,
  jobDescriptorsEvent,
  SettingsDescriptor,
  settingsDescriptorsEvent,
} from '../../../events/descriptors/descriptors.js'
import type { RetainedText } from '../../aftermath/retained.js'
import { repeat } from '../../runtime/repeat.js'
import type { Service, ServiceContext } from '../../runtime/service.js'
import { stockConfig } from '../config/stock-config.js'
import { readUnitConfig } from '../config/unit-config.js'
import { PackageDirectories } from '../plugins/package-directories.js'
import { withBioreactorLimits } from './bioreactor-limits.js'
import { builtInAutomations } from './built-in-automations.js'
import { builtInJobs } from './built-in-jobs.js'
import { builtInSettings } from './built-in-settings.js'
import { readDescriptorFiles } from './descriptor-files.js'
import { overlaid } from './descriptor-rules.js'

export interface DescriptorContext extends ServiceContext {
  /** The jobs on offer. */
  readonly jobs: readonly JobDefinition[]
}

/** How soon a change of a file is noticed; clients may keep an answer as long. */
const LOOK_EVERY_S = 5

/** Tells how web interfaces show jobs, settings and automations: what is built in, then what `ui/`, the packages of plugins and `plugins/ui/` say,
 * each of which may replace what comes before it.
 * @param past what is retained of earlier lives */
export async function startDescriptorService(
  { unit, bus, clock, logger, dotPioreactor, jobs }: DescriptorContext,
  past: readonly RetainedText[],
): Promise<Service> {
  const stock = stockConfig(dotPioreactor, jobs)
  const told = new Map(
    past.flatMap(({ topic, text }) =>
      topic.startsWith(`system/${unit}/descriptors/`) ? [[topic, withoutTime(text)] as const] : [],
    ),
  )
  const packages = new PackageDirectories(join(dotPioreactor, 'plugins'))
  const warned = new Set<string>()
  let suspended = false

  /** Each once: the files are read again and again. */
  const warn = (problem: string): void => {
    if (warned.has(problem) || warned.size >= MAX_WARNED) return
    warned.add(problem)
    logger.error({ problem }, 'descriptor file')
  }
  async function read<S extends TObject>(
    schema: S,
    folder: string,
    builtIn: readonly Static<S>[],
    identity: (descriptor: Static<S>) => string,
  ): Promise<Static<S>[]> {
    // What is wrong with packages is told where they are listed.
    const names = await packages.names().catch(() => [])
    const ofPackages = names.map((name) => relative(dotPioreactor, join(packages.contents(name), 'ui', folder)))
    const directories = [`ui/${folder}`, ...ofPackages, `plugins/ui/${folder}`]
    const files = await readDescriptorFiles(dotPioreactor, directories, schema)
    for (const problem of files.problems) warn(problem)
    const { descriptors, replaced } = overlaid([...builtIn, ...files.descriptors], identity)
    for (const name of replaced) warn(`${folder}: a file replaces the descriptor ${name}`)
    return descriptors
  }
  async function tell(topic: string, descriptors: readonly unknown[]): Promise<void> {
    const text = JSON.stringify(descriptors)
    if (told.get(topic) === text) return
    const timestamp = timestampOf(clock.now())
    await bus.publish(topic, JSON.stringify({ descriptors, timestamp }), { retain: true })
    told.set(topic, text)
  }

  async function look(): Promise<void> {
    await tell(
      jobDescriptorsEvent.topic({ unit }),
      await read(JobDescriptor, 'jobs', builtInJobs(jobs), ({ job_name }) => job_name),
    )
    const settings = await read(SettingsDescriptor, 'settings', builtInSettings, ({ key }) => key)
    const config = await readUnitConfig(dotPioreactor, stock, [], { spareBroken: true })
    await tell(
      settingsDescriptorsEvent.topic({ unit }),
      settings.map((collection) => withBioreactorLimits(collection, config)),
    )
    for (const kind of AUTOMATION_TYPES) {
      const folder = `automations/${kind}`
      const forms = builtInAutomations(kind, jobs)
      await tell(
        automationDescriptorsEvent.topic({ unit, automation_type: kind }),
        await read(AutomationDescriptor, folder, forms, ({ automation_name }) => automation_name),
      )
    }
  }

  await look()
  const rounds = repeat({
    clock,
    intervalS: LOOK_EVERY_S,
    tick: () => (suspended ? undefined : look()),
    onError: (error) => logger.warn({ err: error }, 'descriptors not looked at'),
  })
  return {
    name: 'descriptors',
    commands: [],
    async suspend() {
      suspended = true
    },
    async resume() {
      suspended = false
    },
    stop: () => rounds.stop(),
  }
}

const MAX_WARNED = 200

/** The descriptors as they were told; null when it cannot be read. */
function withoutTime(text: string): string | null {
  try {
    return JSON.stringify((JSON.parse(text) as { readonly descriptors?: unknown }).descriptors ?? null)
  } catch {
    return null
  }
}
