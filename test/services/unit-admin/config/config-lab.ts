import { randomUUID } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  type ConfigFileRecord,
  configFileEvent,
  type MergedConfig,
  mergedConfigEvent,
  writeUnitConfigCommand,
} from '../../../../events/config/config.js'
import { correctAtStart } from '../../../../services/aftermath/over-bus.js'
import { jobDefinitions } from '../../../../services/bioreactor/index.js'
import type { Service, ServiceContext } from '../../../../services/runtime/service.js'
import { unitAdminPast } from '../../../../services/unit-admin/aftermath.js'
import { startConfigService } from '../../../../services/unit-admin/config/config-service.js'
import { FakeClock } from '../../../support/fake-clock.js'
import { give } from '../../../support/give.js'
import { MemoryBroker } from '../../../support/memory-bus.js'
import { silentLogger } from '../../../support/silent-logger.js'

/** The configuration of unit `u1` below a directory, on a fake clock and a broker in memory. */
export class ConfigLab {
  readonly clock = new FakeClock()
  readonly broker = new MemoryBroker()
  readonly dotPioreactor: string
  readonly spoolDirectory: string
  readonly secretsPath: string
  #service: Service | null = null

  constructor(home: string) {
    this.dotPioreactor = join(home, 'dot')
    this.spoolDirectory = join(home, 'spool')
    this.secretsPath = join(home, 'secrets.json')
    mkdirSync(this.dotPioreactor)
    mkdirSync(this.spoolDirectory)
  }

  async start(): Promise<Service> {
    const context = {
      unit: 'u1',
      clock: this.clock,
      logger: silentLogger,
      hardwareKind: 'simulated',
      dotPioreactor: this.dotPioreactor,
      bus: this.broker.connect(),
    } as unknown as ServiceContext
    const past = await correctAtStart(context, null, [unitAdminPast])
    const { spoolDirectory, secretsPath } = this
    const service = await startConfigService({ ...context, jobs: jobDefinitions, spoolDirectory, secretsPath }, past)
    this.#service = service
    return service
  }

  async stop(): Promise<void> {
    await this.#service?.stop()
    this.#service = null
  }

  async restart(): Promise<void> {
    await this.stop()
    await this.start()
  }

  edit(name: 'config.ini' | 'unit_config.ini', text: string): void {
    writeFileSync(join(this.dotPioreactor, name), text)
  }

  text(name: 'config.ini' | 'unit_config.ini'): string {
    return readFileSync(join(this.dotPioreactor, name), 'utf8')
  }

  /** As the gateway does. */
  async write(code: string, client = 'REST from 10.0.0.7'): Promise<void> {
    if (this.#service === null) throw new Error('not started')
    const spool = `${randomUUID()}.json`
    writeFileSync(join(this.spoolDirectory, spool), JSON.stringify({ code }))
    await give(this.#service, writeUnitConfigCommand, { spool, client })
  }

  /** Lets the files be looked at. What is refused waits for its turn behind that. */
  async look(): Promise<void> {
    await this.clock.advance(2000)
    await this.write('no section').catch(() => undefined)
  }

  merged(): MergedConfig {
    const text = this.broker.payloads(mergedConfigEvent.topic({ unit: 'u1' })).at(-1)
    if (text === undefined) throw new Error('nothing merged')
    return mergedConfigEvent.parse(text)
  }

  files(filename: string): ConfigFileRecord[] {
    return this.broker
      .payloads(configFileEvent.topic({ unit: 'u1', filename }))
      .map((text) => configFileEvent.parse(text))
  }

  /** Everything that was said. */
  said(): string {
    return this.broker.published.map(({ topic, payload }) => `${topic} ${payload}`).join('\n')
  }
}
