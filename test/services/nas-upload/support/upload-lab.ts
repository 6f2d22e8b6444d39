import { randomUUID } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect } from 'vitest'
import { nasHealthCommand, nasSetupCommand, uploadRunCommand } from '../../../../events/nas/commands.js'
import { MANIFEST_DIRECTORY, type NasSetup, type RunManifest, type UploadRecord } from '../../../../events/nas/nas.js'
import { correctAtStart } from '../../../../services/aftermath/over-bus.js'
import { type NasUploadContext, startNasUpload } from '../../../../services/nas-upload/start-nas-upload.js'
import type { NasTransport } from '../../../../services/nas-upload/transport.js'
import { uploadsQueued } from '../../../../services/nas-upload/uploads-queued.js'
import type { Service } from '../../../../services/runtime/service.js'
import type { Hardware } from '../../../../services/transport/hardware.js'
import { FakeClock } from '../../../support/fake-clock.js'
import { give } from '../../../support/give.js'
import { MemoryBroker } from '../../../support/memory-bus.js'
import { silentLogger } from '../../../support/silent-logger.js'

export const UNIT = 'unit1'
export const BOX = 'box1'

const noHardware = {} as Hardware

/** Directories, broker and clock around the service under test. */
export class UploadLab {
  readonly clock = new FakeClock()
  readonly broker = new MemoryBroker()
  readonly home: string
  readonly runsRoot: string
  readonly spoolDirectory: string
  readonly nasConfigPath: string
  #service: Service | null = null

  constructor(home: string) {
    this.home = home
    this.runsRoot = join(home, 'runs')
    this.spoolDirectory = join(home, 'run', 'spool')
    this.nasConfigPath = join(home, 'nas_smb.json')
    mkdirSync(this.runsRoot)
  }

  async start(transport?: NasTransport | null): Promise<Service> {
    return this.startWith(transport === undefined ? {} : { findTransport: async () => transport })
  }

  async startWith(ways: Pick<NasUploadContext, 'findTransport'>): Promise<Service> {
    const context = {
      unit: UNIT,
      box: BOX,
      clock: this.clock,
      logger: silentLogger,
      hardware: noHardware,
      hardwareKind: 'simulated' as const,
      dotPioreactor: this.home,
      bus: this.broker.connect(),
      connectBus: async () => this.broker.connect(),
      nasConfigPath: this.nasConfigPath,
      runsRoot: this.runsRoot,
      spoolDirectory: this.spoolDirectory,
      ...ways,
    }
    this.#service = await startNasUpload(context, await correctAtStart(context, null, [uploadsQueued]))
    return this.#service
  }

  get service(): Service {
    if (this.#service === null) throw new Error('not started')
    return this.#service
  }

  async stop(): Promise<void> {
    await this.#service?.stop()
    this.#service = null
  }

  /** Leaves a file in the spool as the gateway does. @returns its bare name. */
  spool(content: unknown): string {
    const name = `${randomUUID()}.json`
    mkdirSync(this.spoolDirectory, { recursive: true })
    writeFileSync(join(this.spoolDirectory, name), JSON.stringify(content), { mode: 0o600 })
    return name
  }

  setUp(setup: NasSetup): Promise<unknown> {
    return this.request('nas_setup', { spool: this.spool(setup) })
  }

  request(
    name: 'nas_setup' | 'nas_health' | 'upload_run',
    body: { spool?: string; run_id?: string } = {},
  ): Promise<unknown> {
    if (name === 'nas_setup') return give(this.service, nasSetupCommand, { spool: body.spool ?? '' })
    if (name === 'upload_run') return give(this.service, uploadRunCommand, { run_id: body.run_id ?? '' })
    return give(this.service, nasHealthCommand, {})
  }

  /** Files and manifest of an ended run, as the run-file sink leaves them. */
  finishRun(runId: string, files: Readonly<Record<string, string>>, changes: Partial<RunManifest> = {}): RunManifest {
    const manifest: RunManifest = {
      run_id: runId,
      directory: `Exp/${runId}`,
      status: 'done',
      ended_at: this.clock.now().toISOString(),
      files: Object.entries(files).map(([path, text]) => ({ path, bytes: Buffer.byteLength(text) })),
      ...changes,
    }
    for (const [path, text] of Object.entries(files)) this.#write(join(manifest.directory, path), text)
    this.#write(join(MANIFEST_DIRECTORY, `${runId}.json`), JSON.stringify(manifest))
    return manifest
  }

  #write(path: string, text: string): void {
    mkdirSync(join(this.runsRoot, dirname(path)), { recursive: true })
    writeFileSync(join(this.runsRoot, path), text)
  }

  /** Published states of a run's upload, oldest first. */
  uploads(runId: string): readonly UploadRecord[] {
    return this.broker
      .payloads(`potentiostat/${BOX}/${runId}/upload`)
      .filter((text) => text !== '')
      .map((text) => JSON.parse(text) as UploadRecord)
  }

  /** Lets time pass until so many attempts of a run's upload have ended. */
  async uploadEnded(runId: string, attempts = 1): Promise<UploadRecord> {
    let ended: UploadRecord | undefined
    await this.until(() => {
      const record = this.uploads(runId).at(-1)
      if (record !== undefined && record.attempts >= attempts && record.status !== 'uploading') ended = record
      return ended !== undefined
    })
    if (ended === undefined) throw new Error(`no ${attempts} attempts to upload ${runId}`)
    return ended
  }

  /** Lets time pass in steps, and files be read and written between them, until something holds. */
  async until(holds: () => boolean, stepMs = 1000): Promise<void> {
    await expect
      .poll(
        async () => {
          await this.clock.advance(stepMs)
          return holds()
        },
        { interval: 5, timeout: 30_000 },
      )
      .toBe(true)
  }
}
