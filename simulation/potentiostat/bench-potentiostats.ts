import type { Clock, Logger } from '../../events/ports.js'
import { POTENTIOSTAT_USB } from '../../services/potentiostat/device/registers.js'
import type { AddPort } from '../bench-ports.js'
import { Pacer } from './pacer.js'
import { serialOfIndex } from './serial-numbers.js'
import { startVirtualPotentiostat, type VirtualPotentiostatServer } from './serve.js'

export interface BenchPotentiostatOptions {
  /** Gives the path to serve each port on. */
  readonly addPort: AddPort
  readonly count: number
  readonly seed: number
  readonly clock: Clock
  readonly logger: Logger
  /** Told at every change of a cell switch. */
  readonly onCellSwitch?: (serial: string, closed: boolean) => void
}

export interface BenchPotentiostats {
  readonly devices: readonly VirtualPotentiostatServer[]
  stop(): Promise<void>
}

/** Name of the port as Linux makes it below `/dev/serial/by-id`. */
const portName = (serial: string): string => `usb-Acceleration_Consortium_Potentiostat_${serial}-if00`

/** Serves `count` virtual potentiostats with a Randles cell each. Serial numbers depend on the index alone. */
export async function createBenchPotentiostats(options: BenchPotentiostatOptions): Promise<BenchPotentiostats> {
  const { addPort, count, seed, clock, logger, onCellSwitch } = options
  const pacer = new Pacer(clock)
  const devices = await Promise.all(
    Array.from({ length: count }, async (_, index) => {
      const serial = serialOfIndex(index)
      const port = { name: portName(serial), usb: POTENTIOSTAT_USB, serialNumber: serial }
      return startVirtualPotentiostat({
        path: await addPort(port),
        serial,
        seed: seed + index,
        clock,
        logger,
        pacer,
        ...(onCellSwitch === undefined ? {} : { onCellSwitch }),
      })
    }),
  )
  return {
    devices,
    async stop() {
      await Promise.all(devices.map((device) => device.stop()))
    },
  }
}
