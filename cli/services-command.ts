import { fileURLToPath } from 'node:url'
import type { Config } from '../config.js'
import type { Clock, Logger } from '../events/ports.js'
import { createLogger } from '../logger.js'
import { ACQUISITION, claimPriority } from '../priority.js'
import { createBioreactorJobs } from '../services/bioreactor/index.js'
import { openBioreactor } from '../services/bioreactor/open-bioreactor.js'
import { startJobService } from '../services/job-service.js'
import { startNasUpload } from '../services/nas-upload/start-nas-upload.js'
import { startBoxService } from '../services/potentiostat/box-service.js'
import { driveOutputsSafe } from '../services/safe-state.js'
import type { ServiceContext } from '../services/service.js'
import { lostServiceRecord, serviceStateTopic, startServices } from '../services/start-services.js'
import type { Hardware } from '../services/transport/hardware.js'
import type { Command } from './commands.js'
import { startGuardian } from './guardian.js'
import { makeHome, openClock } from './home.js'
import { openHardware } from './open-hardware.js'
import { serviceBus } from './service-bus.js'
import { endRequested, within } from './signals.js'
import type { SupervisorMessage } from './supervise.js'

const SWITCH_OFF = fileURLToPath(new URL('./switch-off-entry.js', import.meta.url))

const HEARTBEAT_MS = 250
/** Jobs end and publish in milliseconds; after this time the outputs are driven safe regardless. */
const STOP_MS = 2000

export const servicesCommand: Command = {
  async run({ config }) {
    makeHome(config)
    const logger = createLogger(config.logLevel, 'services')
    claimPriority(ACQUISITION)
    const heartbeat = beat()
    // Started before anything can switch an output on, and outlives whatever happens to this process.
    const guardian = startGuardian([process.execPath, SWITCH_OFF, config.hardware, config.runDirectory])
    const hardware = await openHardware(config)
    const clock = openClock(config)
    try {
      const end = await serve(config, hardware, clock, logger)
      const { safe } = await driveOutputsSafe(hardware)
      if (safe) guardian.dismiss()
      return end
    } finally {
      clearInterval(heartbeat)
      await hardware.close()
    }
  },
}

/** Runs until told to stop, or until the parent is gone. Resolves with the exit code. */
async function serve(config: Config, hardware: Hardware, clock: Clock, logger: Logger): Promise<number> {
  await driveOutputsSafe(hardware)
  const connect = serviceBus(config, logger)
  const bus = await connect({
    name: 'services',
    will: { topic: serviceStateTopic(config.unit), payload: lostServiceRecord(config.hardware) },
  })
  const context: ServiceContext = {
    unit: config.unit,
    box: config.box,
    clock,
    logger,
    hardware,
    hardwareKind: config.hardware,
    dotPioreactor: config.dotPioreactor,
    bus,
    connectBus: connect,
  }
  const { dotPioreactor, nasConfigPath, runsRoot, spoolDirectory } = config
  const bioreactor = await openBioreactor(hardware, { dotPioreactor }, clock)
  const jobs = createBioreactorJobs({ bioreactor, dotPioreactor, clock })
  const services = await startServices(context, [
    (shared) => startJobService(shared, jobs, config.resumeJobs),
    startBoxService,
    (shared) => startNasUpload({ ...shared, nasConfigPath, runsRoot, spoolDirectory }),
  ])
  logger.info({ unit: config.unit, hardware: config.hardware }, 'services ready')
  const end = await endOfService()
  logger.info({ reason: end }, 'services stopping')
  // Nobody is left to publish to: what counts now are the outputs.
  if (end === 'orphaned') await driveOutputsSafe(hardware)
  const logFailure = (error: unknown): void => logger.error({ err: error }, 'services did not stop cleanly')
  await within(STOP_MS, services.stop(), undefined, logFailure)
  await within(STOP_MS, bus.close(), undefined, logFailure)
  return end === 'orphaned' ? 1 : 0
}

/** Tells the supervisor that the event loop turns. */
function beat(): NodeJS.Timeout {
  const send = (): void => {
    if (process.connected === true) process.send?.('heartbeat' satisfies SupervisorMessage)
  }
  send()
  return setInterval(send, HEARTBEAT_MS)
}

/** Under a supervisor signals are left to it: a Ctrl-C reaches the whole group, and the order of ending is the supervisor's. */
async function endOfService(): Promise<'stopped' | 'orphaned'> {
  if (process.connected !== true) {
    await endRequested()
    return 'stopped'
  }
  void endRequested()
  return new Promise((resolve) => {
    process.on('message', (message) => {
      if (message === ('stop' satisfies SupervisorMessage)) resolve('stopped')
    })
    process.on('disconnect', () => resolve('orphaned'))
  })
}

/** The compiled entry of the command line. */
export const mainPath = (): string => fileURLToPath(new URL('../main.js', import.meta.url))
