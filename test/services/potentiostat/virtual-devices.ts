import { mkdtemp, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import type { ParameterValues } from '../../../events/define-mode.js'
import type { Clock } from '../../../events/ports.js'
import { validateParameters } from '../../../events/validate-mode.js'
import { AcquisitionStats } from '../../../services/potentiostat/acquisition/acquisition-stats.js'
import { measure } from '../../../services/potentiostat/acquisition/driver.js'
import type { MeasurementPlan } from '../../../services/potentiostat/acquisition/plan.js'
import { Potentiostat } from '../../../services/potentiostat/device/device.js'
import type { ImpedanceRow } from '../../../services/potentiostat/evaluation/impedance.js'
import { findMode } from '../../../services/potentiostat/modes/index.js'
import type { SerialConnection } from '../../../services/transport/hardware.js'
import { findPtyTool } from '../../../simulation/potentiostat/pty.js'
import {
  type ServeOptions,
  startVirtualPotentiostat,
  type VirtualPotentiostatServer,
} from '../../../simulation/potentiostat/serve.js'
import { type PtyServer, type ServePtyOptions, servePty } from '../../../simulation/potentiostat/serve-pty.js'

/** Real time, but what the process did not get to see does not pass: device and driver live in one process here, and a machine busy
 * with other tests may stall it longer than a device can buffer. */
class SteadyClock implements Clock {
  #real = performance.now()
  #time = 0

  now(): Date {
    return new Date(Date.UTC(2026, 0, 2) + this.monotonicMs())
  }

  monotonicMs(): number {
    const real = performance.now()
    this.#time += Math.min(real - this.#real, 2)
    this.#real = real
    return this.#time
  }

  async sleepUntil(due: number, stop?: AbortSignal): Promise<void> {
    for (;;) {
      const left = due - this.monotonicMs()
      if (left <= 0 || stop?.aborted === true) return
      await delay(Math.min(left, 2), undefined, stop === undefined ? {} : { signal: stop }).catch(() => undefined)
    }
  }
}

export const clock: Clock = new SteadyClock()

/** A serial connection over a Unix socket. */
export function openSocket(path: string): Promise<SerialConnection> {
  return new Promise((resolve, reject) => {
    const socket = connect(path)
    socket.once('error', reject)
    socket.once('connect', () => {
      socket.off('error', reject)
      socket.on('error', () => undefined)
      resolve({
        get open() {
          return !socket.destroyed
        },
        write: (bytes) =>
          new Promise((written, failed) => {
            socket.write(bytes, (error) => (error ? failed(error) : written()))
          }),
        onData: (listener) => void socket.on('data', listener),
        onClose: (listener) => void socket.on('close', () => listener(null)),
        close: async () => {
          socket.destroy()
        },
      })
    })
  })
}

/** What a test started, to be disposed of with its directory. */
type Disposable<T> = T & { dispose(): Promise<void> }
export type Device = Disposable<VirtualPotentiostatServer>
export type PtyDevice = Disposable<PtyServer>

async function inDirectory<T extends { stop(): Promise<void> }>(
  start: (directory: string) => Promise<T>,
): Promise<Disposable<T>> {
  const directory = await mkdtemp(join(tmpdir(), 'potentiostat-'))
  const server = await start(directory)
  return Object.assign(server, {
    async dispose() {
      await server.stop()
      await rm(directory, { recursive: true, force: true })
    },
  })
}

const device = { serial: '0123456789AB', seed: 1, clock }

/** A virtual device on a socket in a directory of its own. */
export const startDevice = (options: Partial<ServeOptions> = {}): Promise<Device> =>
  inDirectory((directory) => startVirtualPotentiostat({ path: join(directory, 'port'), ...device, ...options }))

/** This machine can make no pseudo-terminal, and need not. */
export const withoutPty = process.env['REQUIRE_PEERS'] !== '1' && findPtyTool() === null

/** A virtual device on a pseudo-terminal in a directory of its own. */
export const startPtyDevice = (options: Partial<ServePtyOptions> = {}): Promise<PtyDevice> =>
  inDirectory((directory) => servePty({ link: join(directory, 'ttyACM0'), ...device, ...options }))

export function planOf(mode: string, raw: Record<string, unknown>): MeasurementPlan {
  const found = findMode(mode)
  if (found === undefined) throw new Error(`no mode ${mode}`)
  const { ok, errors, params } = validateParameters(found.declaration, raw)
  if (!ok) throw new Error(errors.map(({ message }) => message).join(' '))
  return found.plan(params satisfies ParameterValues)
}

export interface Measured {
  readonly stats: AcquisitionStats
  readonly error: unknown
  readonly current: readonly number[]
  readonly potential: readonly number[]
  readonly applied: readonly number[]
  readonly cycle: readonly number[]
  readonly step: readonly number[]
  readonly saturated: readonly number[]
  readonly offTarget: readonly number[]
  readonly impedance: readonly (ImpedanceRow & { readonly hz: number })[]
}

interface RunOptions {
  readonly gain?: number | 'auto' | null
  readonly stop?: AbortSignal
  onRow?(samples: number): void
}

/** Runs one mode; an error is returned with the rows it left. */
export async function runMode(
  connection: SerialConnection,
  mode: string,
  raw: Record<string, unknown>,
  { gain = 1, stop = new AbortController().signal, onRow = (_samples: number): void => undefined }: RunOptions = {},
): Promise<Measured> {
  const device = new Potentiostat(connection)
  const stats = new AcquisitionStats()
  const current: number[] = []
  const potential: number[] = []
  const applied: number[] = []
  const cycle: number[] = []
  const step: number[] = []
  const saturated: number[] = []
  const offTarget: number[] = []
  const impedance: (ImpedanceRow & { hz: number })[] = []
  let error: unknown = null
  const measurement = {
    plan: planOf(mode, raw),
    gain,
    stop,
    onStart: () => undefined,
    onSamples: (rows: Parameters<Parameters<typeof measure>[2]['onSamples']>[0]) => {
      if (rows.first !== current.length) throw new Error(`rows ${rows.first} follow ${current.length}`)
      current.push(...rows.current)
      potential.push(...rows.potential)
      applied.push(...(rows.applied ?? []))
      cycle.push(...(rows.cycle ?? []))
      step.push(...(rows.step ?? []))
      saturated.push(...(rows.saturated ?? new Uint8Array(rows.current.length)))
      offTarget.push(...(rows.offTarget ?? new Uint8Array(rows.current.length)))
      onRow(current.length)
    },
    onImpedance: (row: ImpedanceRow, periodS: number) => void impedance.push({ ...row, hz: row.perSample / periodS }),
  }
  try {
    await measure(device, clock, measurement, stats)
  } catch (thrown) {
    error = thrown
  }
  await device.close()
  return { stats, error, current, potential, applied, cycle, step, saturated, offTarget, impedance }
}
