import type { Clock } from '../../../events/ports.js'
import { pollUntil } from '../../../primitives/poll-until.js'
import { ConnectionLost, ModbusTimeout } from '../../transport/modbus-client.js'
import { CellNotOpened, DeviceStuck } from '../errors.js'
import { isCellClosed, isCurrentControlled, isRunning, isStopping, type Potentiostat } from './device.js'
import type { LiveValues } from './registers.js'

/** A full DAC queue (4096 points) plays for 1.5 s. */
const SETTLE_TIMEOUT_MS = 2500
const POLL_MS = 4
/** Six time constants of the running average over 100 readings, 18 ms each. */
const FILTER_SETTLED_MS = 110
/** FIFO_START takes effect at the next control step, 0.36 ms. */
const START_DELAY_MS = 2

/** Brings a device whose past is unknown to rest: cell open, both queues empty, neither running nor stopping.
 * Leftover points are played with the cell open; a latched STOP ends that play by itself.
 * @throws DeviceStuck when it does not come to rest, ConnectionLost. */
export async function drain(device: Potentiostat, clock: Clock): Promise<void> {
  await device.setSwitch(false)
  if (isCurrentControlled(await device.live())) await stopRun(device, clock)
  await startOnce(device, false)
  await clock.sleepUntil(clock.monotonicMs() + START_DELAY_MS, device.modbus.closed)
  const played = await until(device, clock, ({ dacQueued }) => dacQueued === -1)
  if (isRunning(played)) await requestStop(device)
  await until(device, clock, (live) => !isRunning(live) && !isStopping(live))
  await device.clearPairs()
}

/** Ends a measurement: opens the cell switch at once, stops, and reads the state back. When the device does not stop it is reset, which
 * opens the switch too.
 * @throws CellNotOpened when no reading confirms an open switch. */
export async function openCell(device: Potentiostat, clock: Clock): Promise<void> {
  try {
    await device.setSwitch(false)
    if (isRunning(await device.live())) await requestStop(device)
    const live = await until(device, clock, (state) => !isRunning(state))
    if (isCellClosed(live)) throw new DeviceStuck('The cell switch reads as closed after it was opened.')
  } catch (cause) {
    if (cause instanceof ConnectionLost)
      throw new CellNotOpened('The connection is gone; the cell switch is unknown.', cause)
    const reset = await device.reset().then(
      () => 'it was reset.',
      () => 'a reset was not acknowledged either.',
    )
    throw new CellNotOpened(`The device did not confirm an open cell switch; ${reset}`, cause)
  }
}

/** Ends a run, and waits until it has. */
export async function stopRun(device: Potentiostat, clock: Clock): Promise<void> {
  await requestStop(device)
  await until(device, clock, (live) => !isRunning(live))
}

/** Waits for a run that ends by itself. @returns the live values after it. */
export const runEnded = (device: Potentiostat, clock: Clock): Promise<LiveValues> =>
  until(device, clock, (live) => !isRunning(live))

/** Potential of the open cell, V, once the running average has forgotten what was before. */
export async function restPotential(device: Potentiostat, clock: Clock): Promise<number> {
  await clock.sleepUntil(clock.monotonicMs() + FILTER_SETTLED_MS, device.modbus.closed)
  return (await device.live()).potentialV
}

/** Starts playing; after an unanswered start the state shows whether the device received it. */
export async function startOnce(device: Potentiostat, cellClosed: boolean): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await device.fifoStart(cellClosed)
      return
    } catch (error) {
      if (!(error instanceof ModbusTimeout)) throw error
      if (isRunning(await device.live())) return
      if (attempt === 4) throw error
    }
  }
}

/** Asks a running device to stop; never an idle one. */
async function requestStop(device: Potentiostat): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      await device.testStop()
      return
    } catch (error) {
      if (!(error instanceof ModbusTimeout)) throw error
      const live = await device.live()
      if (!isRunning(live) || isStopping(live)) return
      if (attempt === 4) throw error
    }
  }
}

async function until(
  device: Potentiostat,
  clock: Clock,
  condition: (live: LiveValues) => boolean,
): Promise<LiveValues> {
  const stop = device.modbus.closed
  const options = { limitMs: SETTLE_TIMEOUT_MS, everyMs: POLL_MS, timer: clock, stop }
  const live = await pollUntil(options, () => device.live(), condition)
  if (condition(live)) return live
  throw new DeviceStuck(
    `The device did not come to rest within ${SETTLE_TIMEOUT_MS} ms (state 0x${live.state.toString(16)}).`,
  )
}
