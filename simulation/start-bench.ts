import { renameSync, writeFileSync } from 'node:fs'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { defineError } from '../events/core/errors.js'
import type { Logger } from '../events/ports.js'
import { type PluggableDevice, serveControl } from './bench-control.js'
import { benchPaths, isBenchAlive } from './bench-directory.js'
import { benchPortsIn } from './bench-ports.js'
import { writeDeviceTree } from './bioreactor/device-tree.js'
import { createRequestFrames, encodeAnswer } from './i2c-frames.codec.js'
import { createIdleTimer } from './idle-timer.js'
import { servePwmTree } from './pwm-tree.js'
import type { RunningTwin, TwinContext } from './twin.js'
import { listenAt, onLine } from './unix-sockets.js'
import { type BenchOptions, VirtualBench } from './virtual-bench.js'

export class BenchRunning extends defineError(
  'simulation.running',
  'state',
  'A simulated bench runs in this directory already.',
) {
  constructor(directory: string) {
    super(`A simulated bench already runs in ${directory}.`)
  }
}

/** Starts virtual devices beside the HAT. */
export type BenchDevice = (context: TwinContext) => Promise<RunningTwin>

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

/** What could not be written for want of space is written again after so long. */
const SAVE_RETRY_MS = 200

/** Serves a simulated bench below a directory: I2C, edges and serial ports on sockets, PWM as files, outputs as JSON.
 * @throws BenchRunning when one is alive there. */
export async function startBench(options: StartBenchOptions): Promise<Bench> {
  const { directory, logger, devices = [], idleMs = 60_000 } = options
  if (await isBenchAlive(directory)) throw new BenchRunning(directory)
  const paths = benchPaths(directory)
  await mkdir(paths.serial, { recursive: true, mode: 0o700 })
  await chmod(directory, 0o700)
  const bench = new VirtualBench(options)
  await writeDeviceTree(paths.deviceTree, bench.hat, options.seed)
  await writeFile(paths.vessel, JSON.stringify(bench.model))

  const saveOutputs = (): void => {
    writeFileSync(`${paths.outputs}.new`, JSON.stringify(bench.outputs))
    renameSync(`${paths.outputs}.new`, paths.outputs)
  }
  saveOutputs()
  let retry: NodeJS.Timeout | undefined
  const keepOutputs = (): void => {
    clearTimeout(retry)
    try {
      saveOutputs()
    } catch {
      // The disk is full. A bench that died of it would leave its outputs as they are.
      retry = setTimeout(keepOutputs, SAVE_RETRY_MS)
    }
  }
  bench.onOutputs(keepOutputs)

  const { promise: ended, resolve: end } = deferred()
  const closers: (() => unknown)[] = [() => clearTimeout(retry)]
  let stopping: Promise<void> | undefined
  const stop = (): Promise<void> => {
    stopping ??= Promise.all(closers.map(async (close) => close())).then(end)
    return stopping
  }

  // A request to end while the bench still starts is carried out afterwards.
  const ending = new AbortController()
  try {
    const world = new AbortController()
    const moving = bench.run(world.signal, options.tickMs)
    closers.push(() => {
      world.abort()
      return moving
    })
    const setPwm = bench.setPwm.bind(bench)
    closers.push(servePwmTree(paths.pwm, Object.values(bench.wiring.pwm.pwm_to_pin), setPwm))
    const idle = createIdleTimer(idleMs, () => ending.abort())
    closers.push(idle.end)
    const counted = (serve: (bench: VirtualBench, socket: Socket) => void) => (socket: Socket) => {
      idle.enter()
      socket.once('close', idle.leave)
      serve(bench, socket)
    }
    closers.push(await listenAt(paths.i2c, counted(serveI2c)))
    closers.push(await listenAt(paths.gpio, counted(serveGpio)))
    const pluggable: PluggableDevice[] = []
    const control = (socket: Socket): void =>
      serveControl(socket, {
        devices: pluggable,
        bench,
        shutDown: () => ending.abort(),
      })
    closers.push(await listenAt(paths.control, control))
    const context: TwinContext = {
      addPort: benchPortsIn(directory),
      clock: options.clock,
      logger,
      seed: options.seed,
      onOutput: (kind, name, value) => bench.setOutput(kind, name, value),
    }
    for (const startDevice of devices) {
      const device = await startDevice(context)
      pluggable.push(...(device.devices ?? []))
      closers.push(() => device.stop())
    }
  } catch (error) {
    await stop()
    throw error
  }
  logger.info({ directory, hat: bench.hat, ...bench.model, devices: devices.length }, 'simulated bench runs')
  ending.signal.addEventListener('abort', () => void stop())
  if (ending.signal.aborted) void stop()
  return { ended, stop }
}

function deferred(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve: () => void = () => undefined
  const promise = new Promise<void>((settle) => {
    resolve = settle
  })
  return { promise, resolve }
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

/** One connection per line in use. `watch <pin>` is answered by `ready`, then by one text per level: `1` or `0`, and its time in s.
 * `drive <pin>` is answered by `ready`, then every `1` or `0` by `done`; the line falls when the connection ends. `user <pin>` is answered by who uses the
 * line, after an equals sign, or by `none` when there is no such line. */
function serveGpio(bench: VirtualBench, socket: Socket): void {
  const say = (text: string): void => void socket.write(`${text}\n`)
  let driven: number | null = null
  onLine(socket, (line) => {
    const [order, word] = line.split(' ')
    const pin = Number(word)
    if (driven !== null) {
      bench.lines.drive(driven, line === '1')
      say('done')
    } else if (order === 'user') {
      const user = bench.lines.consumerOf(pin)
      say(user === null ? 'none' : `=${user}`)
    } else if (order === 'watch') {
      socket.once(
        'close',
        bench.lines.watch(pin, (high, timeS) => say(`${high ? 1 : 0} ${timeS}`)),
      )
      say('ready')
    } else if (order === 'drive') {
      driven = pin
      socket.once('close', () => bench.lines.drive(pin, false))
      bench.lines.drive(pin, false)
      say('ready')
    }
  })
}
