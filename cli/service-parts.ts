import type { Config } from '../config.js'
import { configCommands } from '../events/config/config.js'
import { archiveCommands } from '../events/machine/archive.js'
import { machineCommands } from '../events/machine/commands.js'
import { nasCommands } from '../events/nas/commands.js'
import { pluginCommands } from '../events/plugins/plugins.js'
import type { PartAftermath } from '../services/aftermath/aftermath.js'
import { uploadsQueued } from '../services/nas-upload/uploads-queued.js'
import type { Instrument } from '../services/runtime/instrument.js'
import { instrumentAftermath, instrumentParts } from '../services/runtime/instrument-parts.js'
import type { ServicePart } from '../services/runtime/service.js'
import type { Hardware } from '../services/transport/hardware.js'
import { unitAdminPast } from '../services/unit-admin/aftermath.js'
import { createMachine } from '../services/unit-admin/machine/machine.js'

type PartsConfig = AdminConfig & Pick<Config, 'instruments' | 'nasConfigPath' | 'runsRoot'>

/** Of the administration. */
type AdminConfig = Pick<Config, 'home' | 'spoolDirectory' | 'configSecretsPath' | 'nasConfigPath'> &
  Pick<Config, 'systemActions' | 'updateProgram' | 'pluginScripts' | 'pluginRegistry'>

/** What the services process is made of: the instruments, the administration of the unit, and the uploads of files. */
export const serviceParts = (
  instruments: readonly Instrument[],
  hardware: Hardware,
  config: PartsConfig,
  restart: () => void = () => undefined,
): readonly ServicePart[] => [
  ...instrumentParts(instruments, hardware, config.instruments),
  unitAdmin(instruments, config, restart),
  nasUpload(config),
]

/** What is to be corrected when these have died. */
export const aftermathsOf = (instruments: readonly Instrument[]): readonly PartAftermath[] => [
  ...instruments.flatMap(instrumentAftermath),
  uploadsQueued,
]

const unitAdmin = (instruments: readonly Instrument[], config: AdminConfig, restart: () => void): ServicePart => ({
  name: 'unit_admin',
  commands: [...configCommands, ...machineCommands, ...archiveCommands, ...pluginCommands],
  async start(context, past) {
    const { home, nasConfigPath, spoolDirectory, configSecretsPath: secretsPath } = config
    const { pluginScripts: scripts, pluginRegistry: registry, systemActions: allowed, updateProgram } = config
    const jobs = (await Promise.all(instruments.map((instrument) => instrument.jobs?.() ?? []))).flat()
    const files = { spoolDirectory, secretsPath, privatePaths: [home, nasConfigPath] }
    const outside = { npm: { scripts, registry }, machine: createMachine({ allowed, updateProgram }) }
    const services = { ...context, jobs, ...files, ...outside, restart }
    return (await import('../services/unit-admin/start-unit-admin.js')).startUnitAdmin(services, past)
  },
  aftermath: unitAdminPast,
})

const nasUpload = ({
  nasConfigPath,
  runsRoot,
  spoolDirectory,
}: Pick<Config, 'nasConfigPath' | 'runsRoot' | 'spoolDirectory'>): ServicePart => ({
  name: 'nas_upload',
  commands: nasCommands,
  async start(context, past) {
    const { startNasUpload } = await import('../services/nas-upload/start-nas-upload.js')
    return startNasUpload({ ...context, nasConfigPath, runsRoot, spoolDirectory }, past)
  },
  aftermath: uploadsQueued,
})
