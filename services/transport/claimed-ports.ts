import { defineError } from '../../events/core/errors.js'
import { NoDevice, type SerialConnection, type SerialDevice, type SerialPorts, type UsbId } from './hardware.js'

/** Two instruments claim the same kind of port, so neither could know its own. */
const PortsClaimedTwice = defineError(
  'serial.claimed_twice',
  'defect',
  'Two instruments claim serial ports of the same vendor and product.',
)
const PortNotClaimed = defineError(
  'serial.not_claimed',
  'state',
  'The serial port belongs to another instrument or to none.',
)
const PortInUse = defineError('serial.in_use', 'state', 'The serial port is open already.')

/** The serial ports an instrument speaks to. */
export interface PortClaim {
  /** Every vendor and product of its devices; no other instrument may claim them. */
  readonly usb: readonly UsbId[]
  /** In bits per second. */
  readonly baudRate: number
}

/** The serial ports of one instrument. */
export interface ClaimedPorts {
  /** Those that are there, by path. */
  list(): Promise<readonly SerialDevice[]>
  /** At the instrument's own rate. @throws NoDevice; PortNotClaimed; PortInUse while an earlier connection is open. */
  open(path: string): Promise<SerialConnection>
  /** Closes every connection that is open. */
  closeAll(): Promise<void>
}

const textOf = ({ vendorId, productId }: UsbId): string => `${vendorId}:${productId}`

/** Gives every instrument the ports of the vendors and products it claims, and no other. A port that appears later is listed to its instrument
 * then; a path that comes back as another device changes its owner.
 * @param claims by the name of the instrument. @throws PortsClaimedTwice */
export function claimPorts(
  serial: SerialPorts,
  claims: Readonly<Record<string, PortClaim>>,
): (instrument: string) => ClaimedPorts {
  const claimants = claimantsOf(claims)
  const open = new Map<string, Pick<SerialConnection, 'open' | 'close'>>()
  let owners: ReadonlyMap<string, string | undefined> = new Map()

  const list = async (): Promise<readonly SerialDevice[]> => {
    const ports = await serial.list()
    owners = new Map(ports.map(({ path, usb }) => [path, usb === null ? undefined : claimants.get(textOf(usb))]))
    return ports
  }
  return (instrument) => ({
    async list() {
      const own = (await list()).filter(({ path }) => owners.get(path) === instrument)
      return own.sort((one, other) => (one.path < other.path ? -1 : 1))
    },
    async open(path) {
      if (!owners.has(path)) await list()
      if (!owners.has(path)) throw new NoDevice(`${path} is not there.`)
      const claim = claims[instrument]
      if (claim === undefined || owners.get(path) !== instrument) {
        throw new PortNotClaimed(`${path} is no port of ${instrument}.`, { details: { path } })
      }
      if (open.get(path)?.open === true) throw new PortInUse(`${path} is open already.`, { details: { path } })
      open.set(path, OPENING)
      try {
        const connection = await serial.open(path, claim.baudRate)
        open.set(path, connection)
        return connection
      } catch (error) {
        open.delete(path)
        throw error
      }
    },
    async closeAll() {
      const own = [...open].filter(([path]) => owners.get(path) === instrument)
      await Promise.all(own.map(([, connection]) => connection.close()))
    },
  })
}

/** Stands for a connection that is not there yet. */
const OPENING = { open: true, close: async (): Promise<void> => undefined }

function claimantsOf(claims: Readonly<Record<string, PortClaim>>): ReadonlyMap<string, string> {
  const claimants = new Map<string, string>()
  for (const [instrument, { usb }] of Object.entries(claims)) {
    for (const id of usb.map(textOf)) {
      const other = claimants.get(id)
      if (other !== undefined) {
        throw new PortsClaimedTwice(`${other} and ${instrument} both claim serial ports of USB ${id}.`)
      }
      claimants.set(id, instrument)
    }
  }
  return claimants
}
