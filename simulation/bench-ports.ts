import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { SerialDevice, UsbId } from '../services/transport/hardware.js'
import { benchPaths } from './bench-directory.js'

/** What a host sees of a virtual serial port. */
export interface BenchPort {
  /** As udev names the port below `/dev/serial/by-id`. */
  readonly name: string
  readonly usb: UsbId
  readonly serialNumber: string | null
}

/** Writes down what a port is, and returns the path of the Unix socket to serve it on: the port is there as long as its socket is. */
export type AddPort = (port: BenchPort) => Promise<string>

/** Adds ports to the bench in a directory. */
export const benchPortsIn =
  (directory: string): AddPort =>
  async ({ name, usb, serialNumber }) => {
    const paths = benchPaths(directory)
    await mkdir(paths.serial, { recursive: true })
    await mkdir(paths.usb, { recursive: true })
    await writeFile(join(paths.usb, name), JSON.stringify({ usb, serialNumber }))
    return join(paths.serial, name)
  }

/** A socket that nobody has described. */
const UNKNOWN = JSON.stringify({ usb: null, serialNumber: null })

/** The ports whose sockets are there, by name. */
export async function listBenchPorts(directory: string): Promise<readonly SerialDevice[]> {
  const { serial, usb } = benchPaths(directory)
  const names = (await readdir(serial)).sort()
  return Promise.all(
    names.map(async (name) => {
      const text = await readFile(join(usb, name), 'utf8').catch(() => UNKNOWN)
      return { path: join(serial, name), ...(JSON.parse(text) as Omit<SerialDevice, 'path'>) }
    }),
  )
}
