import { createClock } from '../clock.js'
import type { Config } from '../config.js'
import type { Logger } from '../events/ports.js'
import type { Instrument } from '../services/runtime/instrument.js'
import { driveOutputsSafe } from '../services/runtime/safe-state.js'
import { forgetResult, resultOf, type SafeStateResult } from '../services/runtime/safe-state-result.js'
import type { ServiceContext } from '../services/runtime/service.js'
import { type RunningServices, servicesWill, startServices } from '../services/runtime/start-services.js'
import type { Hardware } from '../services/transport/hardware.js'
import { claimHome } from './claims.js'
import { makeHome, openClock } from './home.js'
import { serviceBus } from './service-bus.js'
import { serviceParts } from './service-parts.js'
import { within } from './signals.js'

/** Jobs end and publish in milliseconds; after this time the outputs are driven safe regardless. */
const STOP_MS = 2000

export interface RunServicesOptions {
  readonly config: Config
  readonly instruments: readonly Instrument[]
  readonly hardware: Hardware
  readonly logger: Logger
  /** Resolves when they are to end, with `orphaned` when nobody is left to publish to. */
  readonly end: Promise<unknown>
}

/** Runs the services of a unit from outputs that are safe to outputs that are safe. Needs a running broker.
 * @returns whether everything has ended and every output is off: nothing can switch one on again. */
export async function runServices(options: RunServicesOptions): Promise<boolean> {
  const { config, instruments, hardware } = options
  // Before anything that needs room on the disk.
  const outputs = resultOf(await driveOutputsSafe(hardware, instruments), createClock().now().getTime())
  makeHome(config)
  const release = claimHome(config, 'services')
  try {
    // From here on outputs may be on: what an earlier run of safe-state did is history.
    forgetResult(config.runDirectory)
    const ended = await serve(options, outputs)
    const { safe } = await driveOutputsSafe(hardware, instruments)
    return safe && ended
  } finally {
    release()
  }
}

/** Runs until it is asked to stop, be it during the start, or until the parent is gone.
 * @returns whether everything has ended. */
async function serve(options: RunServicesOptions, outputs: SafeStateResult): Promise<boolean> {
  const { instruments, hardware, logger, end } = options
  const running = start(options, outputs)
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
  { config, instruments, hardware, logger }: RunServicesOptions,
  outputs: SafeStateResult,
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
