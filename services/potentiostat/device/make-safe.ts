import { retry } from '../../../primitives/retry.js'
import { inTime } from '../../runtime/in-time.js'
import type { SafeContext } from '../../runtime/safe-state.js'
import type { ClaimedPorts } from '../../transport/claimed-ports.js'
import type { SerialConnection } from '../../transport/hardware.js'
import { encodeRequest, ReplyParser, writeRequest } from '../../transport/modbus-rtu.codec.js'
import { commandRegisters, registerGroups, UNIT_ADDRESS } from './registers.js'

/** A port is given three tries of 100 ms; a healthy device echoes within 2 ms. */
const SWITCH_TRIES = { attempts: 3 }
const SWITCH_TRY_MS = 100

/** A process that is just being ended holds the lock of its ports until its last thread is gone. */
const OPEN_TRIES = { attempts: 40, pauseMs: 25 }
const OPEN_MS = 1200

/** Opens the cell switch of every potentiostat: steps `potentiostats`, and `cell switch <path>` for each. */
export const openCellSwitches = ({ ports, step }: SafeContext): Promise<void> =>
  step('potentiostats', async () => {
    const devices = await ports.list()
    await Promise.all(devices.map(({ path }) => step(`cell switch ${path}`, () => openCellSwitch(ports, path))))
  })

const OPEN_SWITCH = writeRequest(UNIT_ADDRESS, registerGroups.command.address, commandRegisters('setSwitch', 0))

/** @throws NotInTime when no try is echoed; NoDevice when the port cannot be opened, however often it is tried. */
async function openCellSwitch(ports: ClaimedPorts, path: string): Promise<void> {
  const opening = retry(OPEN_TRIES, () => ports.open(path))
  // A port that opens after the deadline must be closed again.
  const connection = await inTime(OPEN_MS, opening).catch((error: unknown) => {
    void opening.then((late) => late.close()).catch(() => undefined)
    throw error
  })
  try {
    const echoed = echoOn(connection)
    const request = encodeRequest(OPEN_SWITCH)
    await retry(SWITCH_TRIES, () => inTime(SWITCH_TRY_MS, Promise.all([connection.write(request), echoed])))
  } finally {
    await inTime(SWITCH_TRY_MS, connection.close()).catch(() => undefined)
  }
}

/** Resolves with the echo of the request; stale bytes of an interrupted transaction may come before it. */
function echoOn(connection: SerialConnection): Promise<void> {
  const reply = new ReplyParser(OPEN_SWITCH)
  return new Promise((resolve) => {
    connection.onData((bytes) => {
      if (reply.push(bytes)?.kind === 'written') resolve()
    })
  })
}
