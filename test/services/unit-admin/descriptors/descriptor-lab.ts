import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect } from 'vitest'
import {
  type AutomationDescriptor,
  automationDescriptorsEvent,
  type JobDescriptor,
  jobDescriptorsEvent,
  type SettingsDescriptor,
  settingsDescriptorsEvent,
} from '../../../../events/descriptors/descriptors.js'
import { correctAtStart } from '../../../../services/aftermath/over-bus.js'
import { jobDefinitions } from '../../../../services/bioreactor/index.js'
import type { Service, ServiceContext } from '../../../../services/runtime/service.js'
import { unitAdminPast } from '../../../../services/unit-admin/aftermath.js'
import { startDescriptorService } from '../../../../services/unit-admin/descriptors/descriptor-service.js'
import { FakeClock } from '../../../support/fake-clock.js'
import { MemoryBroker } from '../../../support/memory-bus.js'
import { recordingLogger } from '../../../support/recording-logger.js'

/** The descriptors of unit `u1` and the files below a directory. */
export class DescriptorLab {
  readonly broker = new MemoryBroker()
  readonly clock = new FakeClock()
  readonly logger = recordingLogger()
  readonly dot: string
  #service: Service | null = null

  constructor(dot: string) {
    this.dot = dot
  }

  async start(): Promise<void> {
    const { clock, logger, dot: dotPioreactor } = this
    const context = { unit: 'u1', clock, logger, hardwareKind: 'simulated', dotPioreactor, bus: this.broker.connect() }
    const past = await correctAtStart(context as unknown as ServiceContext, null, [unitAdminPast])
    this.#service = await startDescriptorService({ ...context, jobs: jobDefinitions } as never, past)
  }

  async stop(): Promise<void> {
    await this.#service?.stop()
    this.#service = null
  }

  write(path: string, text: string): void {
    this.directory(dirname(path))
    writeFileSync(join(this.dot, path), text)
  }

  directory(path: string): void {
    mkdirSync(join(this.dot, path), { recursive: true })
  }

  remove(path: string): void {
    rmSync(join(this.dot, path), { recursive: true })
  }

  jobs(): JobDescriptor[] {
    return jobDescriptorsEvent.parse(this.#last(jobDescriptorsEvent.topic({ unit: 'u1' }))).descriptors
  }

  settings(): SettingsDescriptor[] {
    return settingsDescriptorsEvent.parse(this.#last(settingsDescriptorsEvent.topic({ unit: 'u1' }))).descriptors
  }

  forms(automation_type: string): AutomationDescriptor[] {
    const topic = automationDescriptorsEvent.topic({ unit: 'u1', automation_type })
    return automationDescriptorsEvent.parse(this.#last(topic)).descriptors
  }

  #last(topic: string): string {
    return this.broker.payloads(topic).at(-1) ?? expect.fail(`nothing on ${topic}`)
  }
}
