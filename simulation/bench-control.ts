import { once } from 'node:events'
import type { Socket } from 'node:net'
import { NoDevice } from '../services/transport/hardware.js'
import { benchPaths } from './bench-directory.js'
import { connectTo, onLine } from './unix-sockets.js'

/** A device that can be pulled out of the bench and put back; what it does at that moment it goes on doing. */
export interface PluggableDevice {
  readonly serial: string
  unplug(): Promise<void>
  replug(): Promise<void>
}

/** Serves one control connection: `shutdown`, which is answered by the end of the bench, and `unplug <serial>` or `replug <serial>`, answered by
 * `done` or by what is wrong. */
export function serveControl(socket: Socket, devices: () => readonly PluggableDevice[], shutDown: () => void): void {
  const obey = async (line: string): Promise<string> => {
    const [order, serial] = line.split(' ')
    const device = devices().find((candidate) => candidate.serial === serial)
    if (order !== 'unplug' && order !== 'replug') return `There is no order '${order}'.`
    if (device === undefined) return `The bench has no device ${serial}.`
    await device[order]()
    return 'done'
  }
  onLine(socket, (line) => {
    if (line === 'shutdown') return shutDown()
    obey(line).then(
      (answer) => socket.write(`${answer}\n`),
      (error: unknown) => socket.write(`${String(error)}\n`),
    )
  })
}

/** Pulls a device out of the bench in a directory, or puts it back. Resolves when it is done.
 * @throws NoDevice when no bench runs there or it has no such device. */
export async function plugDevice(directory: string, order: 'unplug' | 'replug', serial: string): Promise<void> {
  const socket = await connectTo(benchPaths(directory).control)
  try {
    socket.write(`${order} ${serial}\n`)
    const [answer] = (await once(socket, 'data')) as [Buffer]
    if (answer.toString() !== 'done\n') throw new NoDevice(answer.toString().trim())
  } finally {
    socket.destroy()
  }
}
