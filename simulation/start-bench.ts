import { renameSync, writeFileSync } from 'node:fs'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { LabError } from '../events/errors.js'
import type { Clock, Logger } from '../events/ports.js'
import { benchPaths, isBenchAlive } from './bench-directory.js'
import { createRequestFrames, encodeAnswer } from './i2c-frames.codec.js'
import { servePwmTree } from './pwm-tree.js'
import { listenAt } from './unix-sockets.js'
import { type BenchOptions, VirtualBench } from './virtual-bench.js'

export class BenchRunning extends LabError {
  constructor(directory: string) {
    super('simulation.running', 'state', `A simulated bench already runs in ${directory}.`)
  }
}

/** What a virtual device behind a serial port is given. */
export interface BenchDeviceContext {
  /** Where to serve the device: one Unix socket per port, named as udev names the port. */
  readonly serialDirectory: string
  readonly clock: Clock
  readonly logger: Logger
  /** To be called whenever the counter-electrode switch moves, and once at the start. */
  onCellSwitch(serialNumber: string, closed: boolean): void
}

/** Starts a virtual device beside the HAT. */
export type BenchDevice = (context: BenchDeviceContext) => Promise<{ stop(): Promise<void> }>

export interface StartBenchOptions extends BenchOptions {
  /** Everything of the bench; created with mode 0700. */
  readonly directory: string
  readonly logger: Logger
  readonly devices?: readonly BenchDevice[]
  /** How often the world moves on by itself, ms of the clock. */
  readonly tickMs?: number
  /** The bench ends itself when nobody has been connected for so long, ms of the machine. */
  readonly idleMs?: number
}

/** A bench that lives on when the programs that drive it die. */
export interface Bench {
  /** Resolves when it ended, by `stop`, by a `shutdown` message on its control socket, or for want of clients. */
  readonly ended: Promise<void>
  stop(): Promise<void>
}

/** Serves a virtual bench below a directory: I2C, edges and serial ports on sockets, PWM as files, outputs as JSON.
 * @throws BenchRunning when one is alive there. */
export async function startBench(options: StartBenchOptions): Promise<Bench> {
  const { directory, logger, devices = [], idleMs = 60_000 } = options
  if (await isBenchAlive(directory)) throw new BenchRunning(directory)
  const paths = benchPaths(directory)
  await mkdir(paths.serial, { recursive: true, mode: 0o700 })
  await chmod(directory, 0o700)
  const bench = new VirtualBench(options)
  await writeFile(paths.identity, JSON.stringify({ hatVersion: bench.hat, model: bench.model }))

  const saveOutputs = (): void => {
    writeFileSync(`${paths.outputs}.new`, JSON.stringify(bench.outputs))
    renameSync(`${paths.outputs}.new`, paths.outputs)
  }
  saveOutputs()
  bench.onOutputs(saveOutputs)

  const world = new AbortController()
  const moving = bench.run(world.signal, options.tickMs)
  const endTree = servePwmTree(paths.pwm, Object.values(bench.wiring.pwm.pwm_to_pin), (pin, percent) =>
    bench.setPwm(pin, percent),
  )
  const idle = createIdleTimer(idleMs, () => void stop())
  const endSockets = await Promise.all([
    listenAt(
      paths.i2c,
      idle.counting((socket) => serveI2c(bench, socket)),
    ),
    listenAt(
      paths.edges,
      idle.counting((socket) => serveEdges(bench, socket)),
    ),
    listenAt(paths.control, (socket) => serveControl(socket, () => void stop())),
  ])
  const running = await Promise.all(
    devices.map((device) =>
      device({
        serialDirectory: paths.serial,
        clock: options.clock,
        logger,
        onCellSwitch: (serialNumber, closed) => bench.setCellSwitch(serialNumber, closed),
      }),
    ),
  )
  logger.info({ directory, hat: bench.hat, ...bench.model, devices: running.length }, 'simulated bench runs')

  const { promise: ended, resolve: end } = deferred()
  let stopping: Promise<void> | undefined
  const stop = (): Promise<void> => {
    stopping ??= (async () => {
      idle.end()
      world.abort()
      endTree()
      await Promise.all([
        moving,
        ...endSockets.map((endSocket) => endSocket()),
        ...running.map((device) => device.stop()),
      ])
      end()
    })()
    return stopping
  }
  return { ended, stop }
}

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => undefined
  const promise = new Promise<void>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}

/** Counts connections, and fires when there has been none for a while. */
function createIdleTimer(idleMs: number, onIdle: () => void) {
  let clients = 0
  let timer = setTimeout(onIdle, idleMs)
  return {
    counting: (serve: (socket: Socket) => void) => (socket: Socket) => {
      clients++
      clearTimeout(timer)
      socket.once('close', () => {
        clients--
        if (clients === 0) timer = setTimeout(onIdle, idleMs)
      })
      serve(socket)
    },
    end: () => clearTimeout(timer),
  }
}

function serveI2c(bench: VirtualBench, socket: Socket): void {
  const frames = createRequestFrames()
  socket.on('data', (chunk) => {
    const answers = frames
      .push(chunk)
      .map(({ address, bytes, readLength }) => encodeAnswer(bench.transact(address, bytes, readLength)))
    if (answers.length > 0) socket.write(Buffer.concat(answers))
  })
}

/** The client names a pin, is told that it is watched, then gets one line per edge: its time in s. */
function serveEdges(bench: VirtualBench, socket: Socket): void {
  createInterface({ input: socket }).on('line', (line) => {
    socket.once(
      'close',
      bench.watchFalling(Number(line), (timeS) => void socket.write(`${timeS}\n`)),
    )
    socket.write('watching\n')
  })
}

function serveControl(socket: Socket, shutDown: () => void): void {
  createInterface({ input: socket }).on('line', (line) => {
    if (line === 'shutdown') shutDown()
  })
}
