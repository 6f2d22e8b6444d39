import { SerialPort } from 'serialport'
import { NoDevice, type SerialConnection, type SerialPorts, type UsbId } from './hardware.js'

/** Serial ports of the machine. */
export const serialPorts: SerialPorts = {
  async list() {
    const ports = await SerialPort.list()
    return ports.map(({ path, vendorId, productId, serialNumber }) => ({
      path,
      usb: usbId(vendorId, productId),
      serialNumber: serialNumber ?? null,
    }))
  },
  open: openSerialPort,
}

const usbId = (vendorId: string | undefined, productId: string | undefined): UsbId | null =>
  vendorId === undefined || productId === undefined
    ? null
    : { vendorId: vendorId.toLowerCase(), productId: productId.toLowerCase() }

/** @throws NoDevice when the port cannot be opened. */
async function openSerialPort(path: string, baudRate: number): Promise<SerialConnection> {
  const port = new SerialPort({ path, baudRate, autoOpen: false })
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
