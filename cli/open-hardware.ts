import { join } from 'node:path'
import type { Config } from '../config.js'
import type { Hardware } from '../services/transport/hardware.js'

/** Where the simulated bench of a data directory keeps its sockets. */
export const benchDirectory = (config: Pick<Config, 'runDirectory'>): string => join(config.runDirectory, 'bench')

/** The hardware the settings name; never another. Loads only what that one needs: safe-state must be quick. */
export async function openHardware(config: Pick<Config, 'hardware' | 'runDirectory'>): Promise<Hardware> {
  if (config.hardware === 'real') return (await import('../services/transport/linux-hardware.js')).openLinuxHardware()
  return (await import('../simulation/connect-bench.js')).connectBench(benchDirectory(config))
}
