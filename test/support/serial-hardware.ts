import { createClock } from '../../clock.js'
import { POTENTIOSTAT_PORTS, POTENTIOSTAT_USB } from '../../services/potentiostat/device/registers.js'
import type { Hardware, SerialConnection } from '../../services/transport/hardware.js'
import { serialPorts } from '../../services/transport/serial-port.js'
import { createInProcessHardware } from '../../simulation/in-process-hardware.js'
import { VirtualBench } from '../../simulation/virtual-bench.js'

/** A bench with one potentiostat on a real serial port, which locks: sockets, on which the simulated ones are, do not. */
export const withSerialPort = (path: string): Hardware => ({
  ...createInProcessHardware(new VirtualBench({ clock: createClock(), seed: 1 })),
  serial: { list: async () => [{ path, usb: POTENTIOSTAT_USB, serialNumber: null }], open: serialPorts.open },
})

/** The serial port of a potentiostat, open. */
export const openPort = (path: string): Promise<SerialConnection> => serialPorts.open(path, POTENTIOSTAT_PORTS.baudRate)
