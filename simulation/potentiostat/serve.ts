import { mkdir, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { dirname } from 'node:path'
import type { Clock, Logger } from '../../events/ports.js'
import { createSerialQueue } from '../../primitives/serial-queue.js'
import type { Faults } from './faults.js'
import { Pacer } from './pacer.js'
import { PoweredDevice, type PoweredDeviceOptions } from './powered-device.js'
import type { VirtualPotentiostat } from './virtual-potentiostat.js'

export interface ServeOptions extends PoweredDeviceOptions {
  /** Where the Unix socket appears. */
  readonly path: string
  readonly clock: Clock
  readonly logger?: Logger
  /** Shared by the devices of a process. */
  readonly pacer?: Pacer
}

export interface VirtualPotentiostatServer {
  readonly path: string
  readonly serial: string
  /** The device's state, live. */
  readonly device: VirtualPotentiostat
  setFaults(faults: Faults): void
  /** Stops the control loop for `ms`. */
  halt(ms: number): void
  /** The port disappears; the device keeps its state. */
  unplug(): Promise<void>
  /** The port is back. */
  replug(): Promise<void>
  stop(): Promise<void>
}

/** Serves a virtual potentiostat on a Unix socket: raw Modbus RTU bytes, as on the serial port. */
export async function startVirtualPotentiostat(options: ServeOptions): Promise<VirtualPotentiostatServer> {
  const { path, clock, logger } = options
  const powered = new PoweredDevice(options.pacer ?? new Pacer(clock), options)
  const port = new SocketPort(path, powered)
  powered.onPresence = (present) => {
    logger?.info({ serial: options.serial, present }, 'virtual potentiostat port changed')
    void (present ? port.open() : port.close()).catch((error: unknown) => {
      logger?.error({ serial: options.serial, error }, 'virtual potentiostat port failed')
    })
  }
  await port.open()
  return {
    path,
    serial: options.serial,
    device: powered.device,
    setFaults: (faults) => powered.setFaults(faults),
    halt: (ms) => powered.halt(ms),
    unplug: () => port.close(),
    replug: () => port.open(),
    async stop() {
      powered.stop()
      await port.close()
    },
  }
}

/** The listening socket; opening and closing take turns. */
class SocketPort {
  readonly #path: string
  readonly #powered: PoweredDevice
  readonly #sockets = new Set<Socket>()
  #server: Server | null = null
  readonly #serially = createSerialQueue()

  constructor(path: string, powered: PoweredDevice) {
    this.#path = path
    this.#powered = powered
  }

  open(): Promise<void> {
    return this.#serially(async () => {
      if (this.#server !== null) return
      await mkdir(dirname(this.#path), { recursive: true })
      // A socket left by a process that was killed refuses the address.
      await rm(this.#path, { force: true })
      const server = createServer((socket) => this.#accept(socket))
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject)
        server.listen(this.#path, () => resolve())
      })
      this.#server = server
    })
  }

  close(): Promise<void> {
    return this.#serially(async () => {
      const server = this.#server
      if (server === null) return
      this.#server = null
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const socket of this.#sockets) socket.destroy()
      await closed
    })
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket)
    const receive = this.#powered.connect((bytes) => {
      if (socket.writable) socket.write(bytes)
    })
    socket.on('data', receive)
    // A host that vanishes is no error of the device.
    socket.on('error', () => undefined)
    socket.on('close', () => this.#sockets.delete(socket))
  }
}
