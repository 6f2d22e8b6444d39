import { SerialPort } from 'serialport'
import { NoDevice, type SerialConnection, type SerialPorts } from './hardware.js'
import { POTENTIOSTAT_USB } from './usb-ids.js'

/** CDC ACM ignores it; pyBEEP opens with it. */
const BAUD_RATE = 1_500_000

/** Serial ports of the machine. */
export const serialPorts: SerialPorts = {
  async listPotentiostats() {
    const ports = await SerialPort.list()
    return ports
      .filter(
        ({ vendorId, productId }) =>
          vendorId?.toLowerCase() === POTENTIOSTAT_USB.vendorId &&
          productId?.toLowerCase() === POTENTIOSTAT_USB.productId,
      )
      .map(({ path, serialNumber }) => ({ path, serialNumber: serialNumber ?? null }))
  },
  open: openSerialPort,
}

/** @throws NoDevice when the port cannot be opened. */
async function openSerialPort(path: string): Promise<SerialConnection> {
  const port = new SerialPort({ path, baudRate: BAUD_RATE, autoOpen: false })
  await new Promise<void>((resolve, reject) => {
    port.open((error) => (error ? reject(new NoDevice(`${path} cannot be opened.`, { cause: error })) : resolve()))
  })
  let failure: Error | null = null
  port.on('error', (error: Error) => {
    failure = error
  })
  return {
    get open() {
      return port.isOpen
    },
    write: (bytes) =>
      new Promise((resolve, reject) => {
        port.write(bytes, (error) =>
          error ? reject(new NoDevice(`${path} does not take data.`, { cause: error })) : resolve(),
        )
      }),
    onData: (listener) => void port.on('data', (bytes: Buffer) => listener(bytes)),
    onClose: (listener) => void port.once('close', (error: Error | null | undefined) => listener(error ?? failure)),
    close: () =>
      new Promise((resolve) => {
        if (!port.isOpen) return resolve()
        port.close(() => resolve())
      }),
  }
}
