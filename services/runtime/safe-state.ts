import { defineError } from '../../events/core/errors.js'
import { deadline } from '../../primitives/deadline.js'
import { retry } from '../../primitives/retry.js'
import { LED_CHANNELS } from '../bioreactor/board/board.js'
import { DAC43608_ADDRESS, POWER_DOWN_ALL } from '../bioreactor/chips/dac43608.codec.js'
import { encodeLed, PICO_ADDRESS } from '../bioreactor/chips/pico.codec.js'
import { commandRegisters, POTENTIOSTAT_PORTS, registerGroups, UNIT_ADDRESS } from '../potentiostat/device/registers.js'
import { type ClaimedPorts, claimPorts } from '../transport/claimed-ports.js'
import { type Hardware, type I2cBus, NoDevice, type SerialConnection } from '../transport/hardware.js'
import { encodeRequest, ReplyParser, writeRequest } from '../transport/modbus-rtu.codec.js'

/** What could be switched off, and what could not. Steps: `pwm`, `leds`, `potentiostats`, `cell switch <path>`. */
export interface SafeStateReport {
  /** Whether every output that was found is off. */
  readonly safe: boolean
  readonly done: readonly string[]
  readonly failed: readonly { readonly step: string; readonly reason: string }[]
}

class NotInTime extends defineError('hardware.not_in_time', 'hardware', 'A step of the safe state took too long.') {
  constructor(limitMs: number) {
    super(`Not done within ${limitMs} ms.`)
  }
}

/** The whole takes no longer than this, whatever hangs. */
const LIMIT_MS = 2000

/** A port is given three tries of 100 ms; a healthy device echoes within 2 ms. */
const SWITCH_TRIES = { attempts: 3 }
const SWITCH_TRY_MS = 100

/** A process that is just being ended holds the lock of its ports until its last thread is gone. */
const OPEN_TRIES = { attempts: 40, pauseMs: 25 }
const OPEN_MS = 1200

/** Switches everything off: PWM, LEDs, the cell switch of every potentiostat. Needs no broker, log or configuration. Every step is
 * tried, whatever becomes of the others; never throws. */
export async function driveOutputsSafe(hardware: Hardware): Promise<SafeStateReport> {
  const done: string[] = []
  const failed: { step: string; reason: string }[] = []
  const attempt = async (step: string, work: () => Promise<unknown>): Promise<void> => {
    try {
      await within(LIMIT_MS, work())
      done.push(step)
    } catch (error) {
      failed.push({ step, reason: error instanceof Error ? error.message : String(error) })
    }
  }
  await Promise.all([
    attempt('pwm', () => hardware.pwm.allOff()),
    attempt('leds', () => switchLedsOff(hardware)),
    attempt('potentiostats', async () => {
      const ports = claimPorts(hardware.serial, { potentiostat: POTENTIOSTAT_PORTS })('potentiostat')
      const devices = await ports.list()
      await Promise.all(devices.map(({ path }) => attempt(`cell switch ${path}`, () => openCellSwitch(ports, path))))
    }),
  ])
  return { safe: failed.length === 0, done, failed }
}

/** @throws NotInTime when the work takes longer than the limit. Real time: what hangs does not run faster in a simulation. */
const within = <T>(limitMs: number, work: Promise<T>): Promise<T> =>
  deadline(limitMs, work, () => {
    throw new NotInTime(limitMs)
  })

/** A chip that is busy or disturbed answers the next try. */
const LED_TRIES = { attempts: 3, pauseMs: 20 }

const ledOff = (work: () => Promise<void>): Promise<void> => retry(LED_TRIES, work)
const picoOff = (i2c: I2cBus): Promise<void>[] =>
  LED_CHANNELS.map((channel) => ledOff(() => i2c.write(PICO_ADDRESS, encodeLed(channel, 0))))
const dacOff = (i2c: I2cBus): Promise<void>[] => [ledOff(() => i2c.write(DAC43608_ADDRESS, POWER_DOWN_ALL))]

/** A HAT that does not tell its version is asked by address. The co-processor first: the DAC's address may be a converter's there. */
async function switchLedsOff({ i2c, hatVersion }: Hardware): Promise<void> {
  if (hatVersion === '1.0') return all(dacOff(i2c))
  const pico = await Promise.allSettled(picoOff(i2c))
  const refusals = pico.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []))
  if (refusals.length === 0) return
  if (hatVersion != null || refusals.length < pico.length) throw refusals[0]
  // Nothing is where the co-processor would be; without a DAC either there is no HAT, and nothing to switch off.
  await all(dacOff(i2c)).catch(ignoreAbsence)
}

const ignoreAbsence = (error: unknown): void => {
  if (!(error instanceof NoDevice)) throw error
}

/** Waits for all of them before it throws the first error. */
async function all(work: readonly Promise<void>[]): Promise<void> {
  const failed = (await Promise.allSettled(work)).find((result) => result.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

const OPEN_SWITCH = writeRequest(UNIT_ADDRESS, registerGroups.command.address, commandRegisters('setSwitch', 0))

/** @throws NotInTime when no try is echoed; NoDevice when the port cannot be opened, however often it is tried. */
async function openCellSwitch(ports: ClaimedPorts, path: string): Promise<void> {
  const opening = retry(OPEN_TRIES, () => ports.open(path))
  // A port that opens after the deadline must be closed again.
  const connection = await within(OPEN_MS, opening).catch((error: unknown) => {
    void opening.then((late) => late.close()).catch(() => undefined)
    throw error
  })
  try {
    const echoed = echoOn(connection)
    const request = encodeRequest(OPEN_SWITCH)
    await retry(SWITCH_TRIES, () => within(SWITCH_TRY_MS, Promise.all([connection.write(request), echoed])))
  } finally {
    await within(SWITCH_TRY_MS, connection.close()).catch(() => undefined)
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
