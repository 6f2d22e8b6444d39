import { fileURLToPath } from 'node:url'
import { createClock } from '../clock.js'
import type { Config } from '../config.js'
import { forgetSettings } from '../environment.js'
import type { Logger } from '../events/ports.js'
import { instruments } from '../instruments.js'
import { createLogger } from '../logger.js'
import { ACQUISITION, claimPriority } from '../priority.js'
import { failOwner } from '../services/runtime/containment.js'
import { driveOutputsSafe } from '../services/runtime/safe-state.js'
import { forgetResult, resultOf, type SafeStateResult } from '../services/runtime/safe-state-result.js'
import type { ServiceContext } from '../services/runtime/service.js'
import { type RunningServices, servicesWill, startServices } from '../services/runtime/start-services.js'
import type { Hardware } from '../services/transport/hardware.js'
import { claimHome, refuseIfInUse } from './claims.js'
import type { Command } from './commands.js'
import { roomProblem } from './disk-room.js'
import { startGuardian } from './guardian.js'
import { makeHome, openClock } from './home.js'
import { switchOffCommand } from './make-outputs-safe.js'
import { openHardware } from './open-hardware.js'
import { serviceBus } from './service-bus.js'
import { serviceParts } from './service-parts.js'
import { within } from './signals.js'
import { beat, endOfService } from './under-supervision.js'

/** Jobs end and publish in milliseconds; after this time the outputs are driven safe regardless. */
const STOP_MS = 2000

export const servicesCommand: Command = {
  async run({ config }) {
    const end = endOfService()
    // All settings are read; the programs that drivers and uploads call need none.
    forgetSettings(process.env)
    refuseIfInUse(config, 'services')
    const logger = createLogger(config.logLevel, 'services')
    claimPriority(ACQUISITION)
    // A defect of one instrument costs that instrument. One that belongs to none ends the process, as without a listener.
    process.on('uncaughtException', (error) => {
      if (!failOwner(error)) throw error
    })
    const endHeartbeat = beat()
    // Started before anything can switch an output on, and outlives whatever happens to this process.
    const guardian = startGuardian(switchOffCommand(config), logger)
    const hardware = await openHardware(config)
    try {
      // Before anything that needs room on the disk.
      const outputs = resultOf(await driveOutputsSafe(hardware, instruments), createClock().now().getTime())
      makeHome(config)
      const release = claimHome(config, 'services')
      try {
        // From here on outputs may be on: what an earlier run of safe-state did is history.
        forgetResult(config.runDirectory)
        const ended = await serve(config, hardware, outputs, logger, end)
        const { safe } = await driveOutputsSafe(hardware, instruments)
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
  if (reason === 'orphaned') await driveOutputsSafe(hardware, instruments)
  return ended
}

async function start(
  config: Config,
  hardware: Hardware,
  outputs: SafeStateResult,
  logger: Logger,
): Promise<RunningServices> {
  const connect = serviceBus(config, logger)
  const bus = await connect({
    name: 'services',
    will: servicesWill(config.unit, config.hardware),
  })
  const context: ServiceContext = {
    unit: config.unit,
    box: config.box,
    clock: openClock(config),
    logger,
    hardwareKind: config.hardware,
    dotPioreactor: config.dotPioreactor,
    bus,
    connectBus: connect,
  }
  const services = await startServices(context, serviceParts(instruments, hardware, config), outputs)
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
