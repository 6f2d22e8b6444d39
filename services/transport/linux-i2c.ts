import type { PromisifiedBus } from 'i2c-bus'
import { defineError } from '../../events/core/errors.js'
import { type I2cBus, NoDevice } from './hardware.js'

export class NoI2cBus extends defineError('hardware.no_i2c', 'hardware', 'The I2C bus cannot be opened.') {
  constructor(cause: unknown) {
    super('The I2C bus 1 cannot be opened.', {
      cause,
      remediation: 'Add dtparam=i2c_arm=on to the boot configuration and load i2c-dev.',
    })
  }
}

/** What the kernel's drivers report when nothing acknowledges. */
const NO_ACKNOWLEDGE = new Set(['EREMOTEIO', 'ENXIO', 'ETIMEDOUT', 'EIO'])
/** What opening the bus reports when it is not there or not ours; the driver opens it with the first transaction. */
const NO_BUS = new Set(['ENOENT', 'ENODEV', 'EACCES'])

function explained(address: number, cause: unknown): unknown {
  const code = (cause as NodeJS.ErrnoException).code ?? ''
  if (NO_ACKNOWLEDGE.has(code))
    return new NoDevice(`Nothing answers at I2C address 0x${address.toString(16)}.`, { cause })
  return NO_BUS.has(code) ? new NoI2cBus(cause) : cause
}

/** I2C bus 1 of a Raspberry Pi. Its driver is loaded only here, so that other machines need not have it; without driver or bus every
 * transaction fails with NoI2cBus, and the rest of the hardware can be used. */
export function openLinuxI2c(): I2cBus & { close(): Promise<void> } {
  const opening = import('i2c-bus')
    .then((module) => module.default.openPromisified(1))
    .catch((error: unknown) => {
      throw new NoI2cBus(error)
    })
  opening.catch(() => undefined)
  const transact = async <T>(address: number, work: (bus: PromisifiedBus) => Promise<T>): Promise<T> => {
    const bus = await opening
    return work(bus).catch((error: unknown) => {
      throw explained(address, error)
    })
  }
  return {
    writeRead: (address, bytes, readLength) =>
      transact(address, async (bus) => {
        const buffer = Buffer.alloc(readLength)
        const [pointer] = bytes
        if (pointer !== undefined && bytes.length === 1) {
          await bus.readI2cBlock(address, pointer, readLength, buffer)
        } else {
          // The driver has no combined transaction for longer writes: pointer first, then a plain read.
          await bus.i2cWrite(address, bytes.length, Buffer.from(bytes))
          await bus.i2cRead(address, readLength, buffer)
        }
        return new Uint8Array(buffer)
      }),
    write: (address, bytes) =>
      transact(address, async (bus) => {
        await bus.i2cWrite(address, bytes.length, Buffer.from(bytes))
      }),
    isPresent: (address) =>
      transact(address, (bus) => bus.writeQuick(address, 0, 0)).then(
        () => true,
        () => false,
      ),
    async close() {
      const bus = await opening.catch(() => null)
      await bus?.close()
    },
  }
}
