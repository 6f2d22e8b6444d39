import { createClock } from '../../clock.js'
import type { Hardware } from '../../services/transport/hardware.js'
import { serialPorts } from '../../services/transport/serial-port.js'
import { createInProcessHardware } from '../../simulation/in-process-hardware.js'
import { VirtualBench } from '../../simulation/virtual-bench.js'

/** A bench with one potentiostat on a real serial port, which locks: sockets, on which the simulated ones are, do not. */
export const withSerialPort = (path: string): Hardware => ({
  ...createInProcessHardware(new VirtualBench({ clock: createClock(), seed: 1 })),
  serial: { listPotentiostats: async () => [{ path, serialNumber: null }], open: serialPorts.open },
})
