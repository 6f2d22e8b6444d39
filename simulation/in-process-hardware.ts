import { InvalidInput } from '../events/core/errors.js'
import { type Hardware, NoDevice, NoPwm, PinInUse, type PwmOutput } from '../services/transport/hardware.js'
import type { VirtualBench } from './virtual-bench.js'

/** The bench's hardware within the same process, for tests on a fake clock. It has no serial ports. */
export function createInProcessHardware(bench: VirtualBench): Hardware {
  const transact = (address: number, bytes: Uint8Array, readLength: number): Uint8Array => {
    const answer = bench.transact(address, bytes, readLength)
    if (answer === null) throw new NoDevice(`Nothing answers at I2C address 0x${address.toString(16)}.`)
    return answer
  }
  const open = new Map<number, PwmOutput>()
  const pins = Object.values(bench.wiring.pwm.pwm_to_pin)
  return {
    hatVersion: bench.hat,
    model: bench.model,
    i2c: {
      writeRead: async (address, bytes, readLength) => transact(address, bytes, readLength),
      write: async (address, bytes) => void transact(address, bytes, 0),
      isPresent: async (address) => bench.transact(address, new Uint8Array(), 0) !== null,
    },
    pwm: {
      open: async (pin) => {
        if (!pins.includes(pin)) throw new NoPwm(`No PWM on GPIO ${pin}.`)
        if (open.has(pin)) throw new PinInUse(`GPIO ${pin} is in use by another user.`)
        const output = pwmOutput(bench, pin, () => open.delete(pin))
        open.set(pin, output)
        bench.setPwm(pin, 0)
        return output
      },
      list: async () => pins.map((pin) => ({ pin, chip: 'virtual', dutyCycle: bench.outputs.pwm[String(pin)] ?? 0 })),
      off: async (pin) => bench.setPwm(pin, 0),
      allOff: async () => {
        for (const output of [...open.values()]) await output.close()
        for (const pin of pins) bench.setPwm(pin, 0)
      },
    },
    gpio: {
      watchFalling: async (pin, onEdge) => {
        const end = bench.lines.watch(pin, (high, timeS) => {
          if (!high) onEdge(timeS)
        })
        return async () => end()
      },
      watchLevel: async (pin, onLevel) => {
        const end = bench.lines.watch(pin, onLevel)
        return async () => end()
      },
      openOutput: async (pin) => {
        bench.lines.drive(pin, false)
        return {
          pin,
          set: async (high) => bench.lines.drive(pin, high),
          close: async () => bench.lines.drive(pin, false),
        }
      },
      consumerOf: async (pin) => bench.lines.consumerOf(pin),
    },
    serial: {
      list: async () => [],
      open: async (path) => {
        throw new NoDevice(`${path} cannot be opened.`)
      },
    },
    close: async () => undefined,
  }
}

function pwmOutput(bench: VirtualBench, pin: number, onClose: () => void): PwmOutput {
  let closed = false
  return {
    pin,
    async setDutyCycle(percent) {
      if (!(percent >= 0 && percent <= 100)) {
        throw new InvalidInput(`duty cycle of GPIO ${pin} is ${percent} %; it must lie in 0–100 %.`)
      }
      if (closed) throw new NoPwm(`GPIO ${pin}: the output is closed.`)
      bench.setPwm(pin, percent)
    },
    async close() {
      closed = true
      bench.setPwm(pin, 0)
      onClose()
    },
  }
}
