/** A process that closes the cell switch of the potentiostat on the port of its argument, under a guardian, says so and keeps the port. */
import { fileURLToPath } from 'node:url'
import { startGuardian } from '../../cli/guardian.js'
import { Potentiostat } from '../../services/potentiostat/device/device.js'
import { openPort } from './serial-hardware.js'
import { silentLogger } from './silent-logger.js'

const [port = ''] = process.argv.slice(2)
const switchOff = fileURLToPath(new URL('./switch-off-port.js', import.meta.url))
startGuardian([process.execPath, switchOff, port], silentLogger)
await new Potentiostat(await openPort(port)).setSwitch(true)
process.stdout.write('closed\n')
