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

/** What a hand at the bench can do. */
export interface BenchHands {
  readonly devices: readonly PluggableDevice[]
  /** The button of the unit. */
  setButton(pressed: boolean): void
  shutDown(): void
}

/** Serves one control connection: `shutdown`, which is answered by the end of the bench; `unplug <serial>`, `replug <serial>`, `press` and `release`, which
 * are answered by `done` or by what is wrong. */
export function serveControl(socket: Socket, { devices, setButton, shutDown }: BenchHands): void {
  const obey = async (line: string): Promise<string> => {
    const [order, serial] = line.split(' ')
    if (order === 'press' || order === 'release') {
      setButton(order === 'press')
      return 'done'
    }
    const device = devices.find((candidate) => candidate.serial === serial)
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
export const plugDevice = (directory: string, order: 'unplug' | 'replug', serial: string): Promise<void> =>
  orderBench(directory, `${order} ${serial}`)

/** Gives an order to the bench in a directory: see `serveControl`. Resolves when it is done.
 * @throws NoDevice when no bench runs there or the order cannot be carried out. */
export async function orderBench(directory: string, order: string): Promise<void> {
  const socket = await connectTo(benchPaths(directory).control)
  try {
    socket.write(`${order}\n`)
    const [answer] = (await once(socket, 'data')) as [Buffer]
    if (answer.toString() !== 'done\n') throw new NoDevice(answer.toString().trim())
  } finally {
    socket.destroy()
  }
}
