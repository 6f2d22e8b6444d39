import { LabError, NoDevice } from '../../events/errors.js'
import type { I2cBus } from './hardware.js'

export class NoI2cBus extends LabError {
  constructor(cause: unknown) {
    super('hardware.no_i2c', 'hardware', 'The I2C bus 1 cannot be opened.', {
      cause,
      remediation: 'Add dtparam=i2c_arm=on to the boot configuration and load i2c-dev.',
    })
  }
}

/** What the kernel's drivers report when nothing acknowledges. */
const NO_ACKNOWLEDGE = new Set(['EREMOTEIO', 'ENXIO', 'ETIMEDOUT', 'EIO'])

const noDevice = (address: number, cause: unknown): unknown =>
  NO_ACKNOWLEDGE.has((cause as NodeJS.ErrnoException).code ?? '')
    ? new NoDevice(`Nothing answers at I2C address 0x${address.toString(16)}.`, { cause })
    : cause

/** I2C bus 1 of a Raspberry Pi. Its driver is loaded only here, so that other machines need not have it.
 * @throws NoI2cBus */
export async function openLinuxI2c(): Promise<I2cBus & { close(): Promise<void> }> {
  const bus = await import('i2c-bus')
    .then((module) => module.default.openPromisified(1))
    .catch((error: unknown) => {
      throw new NoI2cBus(error)
    })
  const attempt = async <T>(address: number, work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      throw noDevice(address, error)
    })
  return {
    async writeRead(address, bytes, readLength) {
      const buffer = Buffer.alloc(readLength)
      const [pointer] = bytes
      if (pointer !== undefined && bytes.length === 1) {
        await attempt(address, bus.readI2cBlock(address, pointer, readLength, buffer))
      } else {
        // The driver has no combined transaction for longer writes: pointer first, then a plain read.
        await attempt(address, bus.i2cWrite(address, bytes.length, Buffer.from(bytes)))
        await attempt(address, bus.i2cRead(address, readLength, buffer))
      }
      return new Uint8Array(buffer)
    },
    async write(address, bytes) {
      await attempt(address, bus.i2cWrite(address, bytes.length, Buffer.from(bytes)))
    },
    isPresent: (address) =>
      bus.writeQuick(address, 0, 0).then(
        () => true,
        () => false,
      ),
    close: () => bus.close(),
  }
}
