import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Plugin } from '../../../../events/plugins/plugins.js'
import { installPluginTask, pluginEvent, uninstallPluginTask } from '../../../../events/plugins/plugins.js'
import type { TaskRecord } from '../../../../events/system/tasks.js'
import { correctAtStart } from '../../../../services/aftermath/over-bus.js'
import type { Service, ServiceContext } from '../../../../services/runtime/service.js'
import { unitAdminPast } from '../../../../services/unit-admin/aftermath.js'
import type { NpmSettings } from '../../../../services/unit-admin/plugins/npm.js'
import { startPluginService } from '../../../../services/unit-admin/plugins/plugin-service.js'
import { FakeClock } from '../../../support/fake-clock.js'
import { give } from '../../../support/give.js'
import { MemoryBroker } from '../../../support/memory-bus.js'
import { recordingLogger } from '../../../support/recording-logger.js'
import { until } from '../../../support/until.js'

/** The plugins of unit `u1` below a directory, installed by the npm of this machine. */
export class PluginLab {
  readonly broker = new MemoryBroker()
  readonly clock = new FakeClock()
  readonly logger = recordingLogger()
  readonly home: string
  readonly dot: string
  npm: NpmSettings = { scripts: 'ignore', registry: 'http://127.0.0.1:9' }
  #service: Service | null = null
  #orders = 0

  constructor(home: string) {
    this.home = home
    this.dot = join(home, 'dot')
    mkdirSync(this.dot)
  }

  async start(): Promise<Service> {
    const { clock, logger, npm, dot: dotPioreactor } = this
    const given = { unit: 'u1', clock, logger, hardwareKind: 'simulated', dotPioreactor, bus: this.broker.connect() }
    const context = given as unknown as ServiceContext
    const past = await correctAtStart(context, null, [unitAdminPast])
    this.#service = await startPluginService({ ...context, npm }, past)
    return this.#service
  }

  async stop(): Promise<void> {
    await this.#service?.stop()
    this.#service = null
  }

  get service(): Service {
    if (this.#service === null) throw new Error('not started')
    return this.#service
  }

  /** A file below `DOT_PIOREACTOR`. */
  write(path: string, text: string): void {
    const whole = join(this.dot, path)
    mkdirSync(join(whole, '..'), { recursive: true })
    writeFileSync(whole, text)
  }

  /** Source of a package. @param more of its package.json @returns its directory */
  directory(name: string, version: string, more: object = {}): string {
    const directory = join(mkdtempSync(join(this.home, 'source-')), 'package')
    mkdirSync(directory)
    const manifest = { name, version, keywords: ['benchlog-plugin'], ...more }
    writeFileSync(join(directory, 'package.json'), JSON.stringify(manifest))
    writeFileSync(join(directory, 'index.js'), `export const version = '${version}'\n`)
    return directory
  }

  /** A package of the form that npm makes. @returns path of the archive */
  archive(name: string, version: string, more: object = {}): string {
    const directory = join(this.directory(name, version, more), '..')
    const filename = `${name.replace(/^@/, '').replace('/', '-')}-${version}.tgz`
    execFileSync('tar', ['-czf', filename, 'package'], { cwd: directory })
    return join(directory, filename)
  }

  /** A package made by npm. */
  packed(name: string, version: string, more: object = {}): string {
    const cwd = this.directory(name, version, more)
    const text = execFileSync('npm', ['pack', '--json', '--ignore-scripts'], { cwd, stdio: 'pipe' }).toString()
    const [{ filename }] = JSON.parse(text) as [{ filename: string }]
    return join(cwd, filename)
  }

  /** Orders it without waiting for the end. @returns the task */
  async begin(name: string, source: string | null): Promise<string> {
    this.#orders += 1
    const id = `order-${this.#orders}`
    await give(this.service, installPluginTask, { name, source }, id)
    return id
  }

  async install(name: string, source: string | null = null): Promise<TaskRecord> {
    return this.end(await this.begin(name, source))
  }

  async uninstall(name: string): Promise<TaskRecord> {
    this.#orders += 1
    const id = `order-${this.#orders}`
    await give(this.service, uninstallPluginTask, { name }, id)
    return this.end(id)
  }

  async end(id: string): Promise<TaskRecord> {
    await until(() => ['succeeded', 'failed'].includes(this.task(id)?.status ?? ''), `the end of ${id}`)
    const task = this.task(id)
    if (task === undefined) throw new Error('no task')
    return task
  }

  task(id: string): TaskRecord | undefined {
    return this.broker
      .payloads(`system/u1/tasks/${id}`)
      .map((text) => JSON.parse(text) as TaskRecord)
      .at(-1)
  }

  /** What is retained, by topic below the plugins of the unit. */
  installed(): Record<string, Plugin> {
    const prefix = 'system/u1/plugins/'
    const found = [...this.broker.retained].filter(([topic]) => topic.startsWith(prefix))
    return Object.fromEntries(
      found.sort().map(([topic, payload]) => {
        const { timestamp: _, ...plugin } = pluginEvent.parse(payload.toString())
        return [topic.slice(prefix.length), plugin]
      }),
    )
  }

  /** Name and version of each. */
  versions(): string[] {
    return Object.entries(this.installed()).map(([topic, { version }]) => `${topic} ${version}`)
  }

  /** What was said to people. */
  said(): string[] {
    return this.broker.published
      .filter(({ topic }) => topic.includes('/logs/'))
      .map(({ payload }) => (JSON.parse(payload) as { message: string }).message)
  }
}
