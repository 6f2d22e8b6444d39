import { join } from 'node:path'
import type { Config } from '../config.js'
import type { Hardware } from '../services/transport/hardware.js'
import { openLinuxHardware } from '../services/transport/linux-hardware.js'
import { connectBench } from '../simulation/connect-bench.js'

/** Where the simulated bench of a data directory keeps its sockets. */
export const benchDirectory = (config: Config): string => join(config.runDirectory, 'bench')

/** The hardware the settings name; never another. */
export const openHardware = (config: Config): Promise<Hardware> =>
  config.hardware === 'real' ? openLinuxHardware() : connectBench(benchDirectory(config))
