/** What a guardian runs that guards a process with one serial port: safe-state for the port of the argument. */
import { instruments } from '../../instruments.js'
import { driveOutputsSafe } from '../../services/runtime/safe-state.js'
import { withSerialPort } from './serial-hardware.js'

const { safe } = await driveOutputsSafe(withSerialPort(process.argv[2] ?? ''), instruments)
process.exit(safe ? 0 : 1)
