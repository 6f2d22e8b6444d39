import { randomInt } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { createClock } from '../clock.js'
import type { Config } from '../config.js'
import { forgetSettings } from '../environment.js'
import type { Logger } from '../events/ports.js'
import { createLogger } from '../logger.js'
import { ACQUISITION, claimPriority } from '../priority.js'
import { openBioreactor } from '../services/bioreactor/board/open-bioreactor.js'
import { createBioreactorJobs } from '../services/bioreactor/index.js'
import { startJobService } from '../services/jobs/job-service.js'
import { startNasUpload } from '../services/nas-upload/start-nas-upload.js'
import { POTENTIOSTAT_PORTS } from '../services/potentiostat/device/registers.js'
import { startBoxService } from '../services/potentiostat/runs/box-service.js'
import { driveOutputsSafe } from '../services/runtime/safe-state.js'
import { forgetResult, resultOf, type SafeStateResult } from '../services/runtime/safe-state-result.js'
import type { ServiceContext } from '../services/runtime/service.js'
import { type RunningServices, servicesWill, startServices } from '../services/runtime/start-services.js'
import { claimPorts } from '../services/transport/claimed-ports.js'
import type { Hardware } from '../services/transport/hardware.js'
import { claimHome, refuseIfInUse } from './claims.js'
import type { Command } from './commands.js'
import { roomProblem } from './disk-room.js'
import { startGuardian } from './guardian.js'
import { makeHome, openClock } from './home.js'
import { switchOffCommand } from './make-outputs-safe.js'
import { openHardware } from './open-hardware.js'
import { serviceBus } from './service-bus.js'
import { within } from './signals.js'
import { beat, endOfService } from './under-supervision.js'

/** Jobs end and publish in milliseconds; after this time the outputs are driven safe regardless. */
const STOP_MS = 2000

/** Uniform in [0, 1). */
const random = (): number => randomInt(2 ** 32) / 2 ** 32

export const servicesCommand: Command = {
  async run({ config }) {
    const end = endOfService()
    // All settings are read; the programs that drivers and uploads call need none.
    forgetSettings(process.env)
    refuseIfInUse(config, 'services')
    const logger = createLogger(config.logLevel, 'services')
    claimPriority(ACQUISITION)
    const endHeartbeat = beat()
    // Started before anything can switch an output on, and outlives whatever happens to this process.
    const guardian = startGuardian(switchOffCommand(config), logger)
    const hardware = await openHardware(config)
    try {
      // Before anything that needs room on the disk.
      const outputs = resultOf(await driveOutputsSafe(hardware), createClock().now().getTime())
      makeHome(config)
      const release = claimHome(config, 'services')
      try {
        // From here on outputs may be on: what an earlier run of safe-state did is history.
        forgetResult(config.runDirectory)
        const ended = await serve(config, hardware, outputs, logger, end)
        const { safe } = await driveOutputsSafe(hardware)
        // What still runs could switch an output on again; the guardian then switches it off again.
        if (safe && ended) guardian.dismiss()
        return (await end) === 'orphaned' ? 1 : 0
      } finally {
        release()
      }
    } catch (error) {
      throw roomProblem(config.home, error)
    } finally {
      endHeartbeat()
      await hardware.close()
    }
  },
}

/** Runs until it is asked to stop, be it during the start, or until the parent is gone.
 * @returns whether everything has ended. */
async function serve(
  config: Config,
  hardware: Hardware,
  outputs: SafeStateResult,
  logger: Logger,
  end: Promise<unknown>,
): Promise<boolean> {
  const running = start(config, hardware, outputs, logger)
  const reason = await Promise.race([end, running.then(() => end)])
  logger.debug({ reason }, 'services stopping')
  const stopped = running.then(({ stop }) => stop()).then(() => true)
  const ended = within(STOP_MS, stopped, false, (error) =>
    logger.error({ err: error }, 'services did not stop cleanly'),
  )
  // Nobody is left to publish to: what counts now are the outputs. Ports that are still ours become free as the services end.
  if (reason === 'orphaned') await driveOutputsSafe(hardware)
  return ended
}

async function start(
  config: Config,
  hardware: Hardware,
  outputs: SafeStateResult,
  logger: Logger,
): Promise<RunningServices> {
  const clock = openClock(config)
  const connect = serviceBus(config, logger)
  const bus = await connect({
    name: 'services',
    will: servicesWill(config.unit, config.hardware),
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
  const { dotPioreactor, nasConfigPath, runsRoot, runFileLayout, nullGain, spoolDirectory } = config
  const bioreactor = await openBioreactor(hardware, { dotPioreactor }, clock)
  const jobs = createBioreactorJobs({ bioreactor, dotPioreactor, clock, random })
  const portsOf = claimPorts(hardware.serial, { potentiostat: POTENTIOSTAT_PORTS })
  const services = await startServices(
    context,
    [
      (shared, past) => startJobService(shared, past, jobs, config.resumeJobs),
      (shared, past) => startBoxService({ ...shared, ports: portsOf('potentiostat'), runFileLayout, nullGain }, past),
      (shared, past) => startNasUpload({ ...shared, nasConfigPath, runsRoot, spoolDirectory }, past),
    ],
    outputs,
  )
  logger.debug({ unit: config.unit, hardware: config.hardware }, 'services ready')
  return {
    async stop() {
      await services.stop()
      await bus.close()
    },
  }
}

/** The compiled entry of the command line. */
export const mainPath = (): string => fileURLToPath(new URL('../main.js', import.meta.url))
