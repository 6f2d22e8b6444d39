import { fileURLToPath } from 'node:url'
import { forgetSettings } from '../environment.js'
import { instruments } from '../instruments.js'
import { createLogger } from '../logger.js'
import { ACQUISITION, claimPriority } from '../priority.js'
import { failOwner } from '../services/runtime/containment.js'
import { createDeferred } from '../services/runtime/deferred.js'
import { refuseIfInUse } from './claims.js'
import type { Command } from './commands.js'
import { roomProblem } from './disk-room.js'
import { startGuardian } from './guardian.js'
import { switchOffCommand } from './make-outputs-safe.js'
import { openHardware } from './open-hardware.js'
import { runServices } from './run-services.js'
import { beat, endOfService } from './under-supervision.js'

export const servicesCommand: Command = {
  async run({ config }) {
    const restarting = createDeferred()
    const end = Promise.race([endOfService(), restarting.promise.then(() => 'restarting' as const)])
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
      // What still runs could switch an output on again; the guardian then switches it off again.
      if (await runServices({ config, instruments, hardware, logger, end, restart: restarting.resolve }))
        guardian.dismiss()
      return (await end) === 'orphaned' ? 1 : 0
    } catch (error) {
      throw roomProblem(config.home, error)
    } finally {
      endHeartbeat()
      await hardware.close()
    }
  },
}

/** The compiled entry of the command line. */
export const mainPath = (): string => fileURLToPath(new URL('../main.js', import.meta.url))
