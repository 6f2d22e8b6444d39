import { createClock } from '../clock.js'
import { benchPortsIn } from '../simulation/bench-ports.js'
import { createBenchPotentiostats } from '../simulation/potentiostat/bench-potentiostats.js'
import { quiet } from './quiet.js'

/** Process that serves virtual potentiostats below a directory: `potentiostat-devices.js <directory> <count>`. Ends with its parent. */
const [directory = '.', count = '1'] = process.argv.slice(2)
const addPort = benchPortsIn(directory)
await createBenchPotentiostats({ addPort, count: Number(count), seed: 1, clock: createClock(), logger: quiet })
process.on('disconnect', () => process.kill(process.pid))
process.send?.('ready')
