import { createClock } from '../clock.js'
import type { Config } from '../config.js'
import type { Logger } from '../events/ports.js'
import type { Instrument } from '../services/runtime/instrument.js'
import { driveOutputsSafe } from '../services/runtime/safe-state.js'
import {
  forgetResult,
  keepResult,
  readResult,
  resultOf,
  type SafeStateResult,
} from '../services/runtime/safe-state-result.js'
import type { ServiceContext } from '../services/runtime/service.js'
import { type RunningServices, servicesWill, startServices } from '../services/runtime/start-services.js'
import type { Hardware } from '../services/transport/hardware.js'
import { finishReplacement } from '../services/unit-admin/archive/replace-directory.js'
import { claimHome } from './claims.js'
import { inUnitTime, makeHome, openClock } from './home.js'
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
  /** Has the process end and be started again; nothing happens without it. */
  readonly restart?: () => void
  /** Resolves when they are to end, with `orphaned` when nobody is left to publish to. */
  readonly end: Promise<unknown>
}

/** Runs the services of a unit from outputs that are safe to outputs that are safe. Needs a running broker.
 * @returns whether everything has ended and every output is off: nothing can switch one on again. */
export async function runServices(options: RunServicesOptions): Promise<boolean> {
  const { config, instruments, hardware } = options
  // Before anything that needs room on the disk.
  const safe = await switchOff(options)
  finishReplacement(config.dotPioreactor)
  makeHome(config)
  const outputs = inUnitTime(config, safe)
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

/** With the time of the machine. */
const switchOff = async ({ hardware, instruments }: RunServicesOptions): Promise<SafeStateResult> =>
  resultOf(await driveOutputsSafe(hardware, instruments), createClock().now().getTime())

/** So long after safe-state was run beside the services they notice, ms. */
const LOOK_MS = 250

/** Somebody ran safe-state while the services work: what it switched off stays off, until somebody starts it anew. */
function watchSafeState({ config, logger }: RunServicesOptions, services: RunningServices): () => void {
  let noticed: Promise<void> = Promise.resolve()
  const look = (): void => {
    const result = readResult(config.runDirectory)
    if (result === null) return
    forgetResult(config.runDirectory)
    noticed = noticed
      .then(() => services.switchedOff(inUnitTime(config, result)))
      .catch((error: unknown) => logger.error({ err: error }, 'services did not follow safe-state'))
  }
  const looking = setInterval(look, LOOK_MS)
  return () => clearInterval(looking)
}

/** Runs until it is asked to stop, be it during the start, or until the parent is gone.
 * @returns whether everything has ended. */
async function serve(options: RunServicesOptions, outputs: SafeStateResult): Promise<boolean> {
  const { config, logger, end } = options
  const running = start(options, outputs)
  const reason = await Promise.race([end, running.then(() => end)])
  logger.debug({ reason }, 'services stopping')
  const stopped = running.then(({ stop }) => stop()).then(() => true)
  const ended = within(STOP_MS, stopped, false, (error) =>
    logger.error({ err: error }, 'services did not stop cleanly'),
  )
  // Nobody is left to publish to: what counts now are the outputs. Ports that are still ours become free as the services end.
  if (reason === 'orphaned') {
    const safe = await switchOff(options)
    try {
      keepResult(config.runDirectory, safe)
    } catch (error) {
      logger.warn({ err: error }, 'what was switched off could not be kept for the log')
    }
  }
  return ended
}

async function start(options: RunServicesOptions, outputs: SafeStateResult): Promise<Pick<RunningServices, 'stop'>> {
  const { config, instruments, hardware, logger } = options
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
  const services = await startServices(context, serviceParts(instruments, hardware, config, options.restart), outputs)
  logger.debug({ unit: config.unit, hardware: config.hardware }, 'services ready')
  const endWatch = watchSafeState(options, services)
  return {
    async stop() {
      endWatch()
      await services.stop()
      await bus.close()
    },
  }
}
