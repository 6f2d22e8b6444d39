import type { RetainedText } from '../aftermath/retained.js'
import type { Service } from '../runtime/service.js'
import { type ArchiveContext, startArchiveService } from './archive/archive-service.js'
import { type ConfigServiceContext, startConfigService } from './config/config-service.js'
import { type DescriptorContext, startDescriptorService } from './descriptors/descriptor-service.js'
import { type MachineContext, startMachineService } from './machine/machine-service.js'
import { type PluginContext, startPluginService } from './plugins/plugin-service.js'

/** What the parts below are given. */
export type UnitAdminContext = ConfigServiceContext &
  DescriptorContext &
  PluginContext &
  MachineContext &
  ArchiveContext

/** What administers the unit itself. A new one has its line here. */
const SERVICES: readonly ((context: UnitAdminContext, past: readonly RetainedText[]) => Promise<Service>)[] = [
  startConfigService,
  startDescriptorService,
  startPluginService,
  startMachineService,
  startArchiveService,
]

/** Starts them together. @param past what is retained of earlier lives */
export async function startUnitAdmin(context: UnitAdminContext, past: readonly RetainedText[]): Promise<Service> {
  const services: Service[] = []
  const stop = async (): Promise<void> => {
    for (const service of [...services].reverse()) await service.stop()
  }
  try {
    for (const start of SERVICES) services.push(await start(context, past))
  } catch (error) {
    await stop()
    throw error
  }
  return {
    name: 'unit_admin',
    commands: services.flatMap(({ commands }) => commands),
    suspend: async (reason) => void (await Promise.all(services.map((service) => service.suspend(reason)))),
    resume: async () => void (await Promise.all(services.map((service) => service.resume()))),
    stop,
  }
}
