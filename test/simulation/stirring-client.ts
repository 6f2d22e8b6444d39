import { connectBench } from '../../simulation/connect-bench.js'
import { readOutputs } from '../support/bench-outputs.js'
import { until } from '../support/until.js'

/** A process that turns things on, says so, and stays until it is killed. */
const directory = process.argv[2] ?? ''
const hardware = await connectBench(directory)
await (await hardware.pwm.open(17, 200)).setDutyCycle(30)
await hardware.i2c.write(0x2c, Uint8Array.of(0, 204))
await until(() => {
  const { pwm, leds } = readOutputs(directory)
  return pwm['17'] === 30 && leds.A === 80
}, 'stirrer and LED on')
process.send?.('on')
