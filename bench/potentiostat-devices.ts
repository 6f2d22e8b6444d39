import { createClock } from '../clock.js'
import type { Logger } from '../events/ports.js'
import { createBenchPotentiostats } from '../simulation/potentiostat/bench-potentiostats.js'

/** Process that serves virtual potentiostats below a directory: `potentiostat-devices.js <directory> <count>`. Ends with its parent. */
const quiet: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  child: () => quiet,
}
const [directory = '.', count = '1'] = process.argv.slice(2)
await createBenchPotentiostats({ directory, count: Number(count), seed: 1, clock: createClock(), logger: quiet })
process.on('disconnect', () => process.kill(process.pid))
process.send?.('ready')
