import type { Socket } from 'node:net'
import { InvalidInput } from '../events/core/errors.js'
import { NoDevice } from '../services/transport/hardware.js'
import { benchPaths } from './bench-directory.js'
import { parseFault } from './bioreactor/faults.js'
import { connectTo, onLine } from './unix-sockets.js'
import type { VirtualBench } from './virtual-bench.js'

/** A device that can be pulled out of the bench and put back; what it does at that moment it goes on doing. */
export interface PluggableDevice {
  readonly serial: string
  unplug(): Promise<void>
  replug(): Promise<void>
}

/** What a hand at the bench can do. */
export interface BenchHands {
  readonly devices: readonly PluggableDevice[]
  /** The HAT with the vial. */
  readonly bench: Pick<
    VirtualBench,
    'lines' | 'setFault' | 'clearFault' | 'faults' | 'truth' | 'placeStandard' | 'pumpIntoGlass'
  >
  shutDown(): void
}

/** Carries out an order. @returns What it answers, if anything. @throws LabError saying what is wrong with the order */
type Order = (hands: BenchHands, words: readonly string[]) => unknown

const plug =
  (order: 'unplug' | 'replug'): Order =>
  async ({ devices }, [serial]) => {
    const device = devices.find((candidate) => candidate.serial === serial)
    if (device === undefined) throw new NoDevice(`The bench has no device ${serial}.`)
    await device[order]()
  }

/** Orders by their first word; the others go with them. */
const orders: Readonly<Record<string, Order>> = {
  unplug: plug('unplug'),
  replug: plug('replug'),
  press: ({ bench }) => bench.lines.setButton(true),
  release: ({ bench }) => bench.lines.setButton(false),
  fault: ({ bench }, words) => bench.setFault(parseFault(words)),
  mend: ({ bench }, words) => bench.clearFault(words.length === 0 ? undefined : parseFault(words)),
  faults: ({ bench }) => bench.faults,
  truth: ({ bench }) => bench.truth,
  standard: ({ bench }, [od]) => bench.placeStandard(parseStandard(od)),
  glass: ({ bench }) => bench.pumpIntoGlass(true),
  reconnect: ({ bench }) => bench.pumpIntoGlass(false),
}

/** Denser than any that a photodiode could tell from denser ones. */
const MAX_STANDARD_OD = 100

/** @throws InvalidInput naming value and limit */
export function parseStandard(text = ''): number {
  const od = text.trim() === '' ? Number.NaN : Number(text)
  if (od >= 0 && od <= MAX_STANDARD_OD) return od
  throw new InvalidInput(`The standard has OD '${text}'; it must be a number from 0 to ${MAX_STANDARD_OD}.`, {
    details: { field: 'od', value: text, limit: MAX_STANDARD_OD },
  })
}

/** Serves one control connection: `shutdown`, which is answered by the end of the bench, and the orders above, which are answered by `done`,
 * with JSON behind it where they ask something, or by what is wrong. */
export function serveControl(socket: Socket, hands: BenchHands): void {
  const obey = async (line: string): Promise<string> => {
    const [name = '', ...words] = line.split(' ')
    const order = Object.hasOwn(orders, name) ? orders[name] : undefined
    if (order === undefined) return `There is no order '${name}'.`
    const answer = await order(hands, words)
    return answer === undefined ? 'done' : `done ${JSON.stringify(answer)}`
  }
  onLine(socket, (line) => {
    if (line === 'shutdown') return hands.shutDown()
    obey(line).then(
      (answer) => socket.write(`${answer}\n`),
      (error: unknown) => socket.write(`${error instanceof Error ? error.message : String(error)}\n`),
    )
  })
}

/** Pulls a device out of the bench in a directory, or puts it back. Resolves when it is done.
 * @throws NoDevice when no bench runs there or it has no such device. */
export const plugDevice = (directory: string, order: 'unplug' | 'replug', serial: string): Promise<unknown> =>
  orderBench(directory, `${order} ${serial}`)

/** Gives an order to the bench in a directory: see `serveControl`. Resolves when it is done.
 * @returns What it answers, of JSON; undefined where it only says that it is done.
 * @throws NoDevice when no bench runs there or the order cannot be carried out. */
export async function orderBench(directory: string, order: string): Promise<unknown> {
  const socket = await connectTo(benchPaths(directory).control)
  try {
    const answered = new Promise<string>((resolve, reject) => {
      onLine(socket, resolve)
      socket.once('close', () => reject(new NoDevice('The simulated bench has ended.')))
    })
    socket.write(`${order}\n`)
    const answer = await answered
    if (answer === 'done') return undefined
    if (!answer.startsWith('done ')) throw new NoDevice(answer)
    return JSON.parse(answer.slice('done '.length))
  } finally {
    socket.destroy()
  }
}
