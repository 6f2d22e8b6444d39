import { cleared, type PartAftermath } from '../aftermath/aftermath.js'
import { claimPorts } from '../transport/claimed-ports.js'
import type { Hardware } from '../transport/hardware.js'
import { type Instrument, portClaims } from './instrument.js'
import { driveOutputsSafe } from './safe-state.js'
import type { ServicePart } from './service.js'

/** What is to be corrected of an instrument that has died. */
export const instrumentAftermath = ({ aftermath, transient }: Instrument): readonly PartAftermath[] => [
  ...(transient === undefined ? [] : [cleared(transient)]),
  ...(aftermath === undefined ? [] : [aftermath]),
]

/** The instruments as parts of the services, each with the hardware and the serial ports that are its own.
 * @param settings what the settings of each instrument say, by its name.
 * @throws PortsClaimedTwice */
export function instrumentParts(
  instruments: readonly Instrument[],
  hardware: Hardware,
  settings: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
): readonly ServicePart[] {
  const portsOf = claimPorts(hardware.serial, portClaims(instruments))
  return instruments.map((instrument) => {
    const { name, commands, transient, aftermath } = instrument
    const ports = portsOf(name)
    return {
      name,
      commands,
      start: (context, past) => instrument.start({ ...context, hardware, ports, settings: settings[name] ?? {} }, past),
      async makeSafe() {
        // What a life that did not end in order left open.
        await ports.closeAll()
        return driveOutputsSafe(hardware, [instrument])
      },
      ...(transient === undefined ? {} : { transient: cleared(transient) }),
      ...(aftermath === undefined ? {} : { aftermath }),
    }
  })
}
