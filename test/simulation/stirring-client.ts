import { connectBench } from '../../simulation/connect-bench.js'
import { readOutputs } from '../support/bench-outputs.js'
import { eventually } from '../support/eventually.js'

/** A process that turns things on, says so, and stays until it is killed. */
const directory = process.argv[2] ?? ''
const hardware = await connectBench(directory)
await (await hardware.pwm.open(17, 200)).setDutyCycle(30)
await hardware.i2c.write(0x2c, Uint8Array.of(0, 204))
await eventually(
  () => readOutputs(directory),
  ({ pwm, leds }) => pwm['17'] === 30 && leds.A === 80,
)
process.send?.('on')
