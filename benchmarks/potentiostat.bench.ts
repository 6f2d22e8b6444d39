import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createClock } from '../clock.js'
import { AcquisitionStats } from '../services/potentiostat/acquisition/acquisition-stats.js'
import { measure } from '../services/potentiostat/acquisition/driver.js'
import { Potentiostat } from '../services/potentiostat/device/device.js'
import { ca } from '../services/potentiostat/modes/ca.js'
import type { SerialConnection } from '../services/transport/hardware.js'
import { describeLoad } from './machine.js'
import type { Print, Scenario } from './scenario.js'
import { formatCount, renderTable, verdict } from './table.js'

const SECONDS = 10
const DEVICE_COUNTS = [1, 10, 32] as const
const DEVICES_PROCESS = fileURLToPath(new URL('./potentiostat-devices.js', import.meta.url))

const FLOOR_DEVICES = 10

/** How many virtual devices the driver follows at full rate without a lost sample. The devices live in a process of their own; its
 * processor time is not part of the figure. */
export const potentiostatScenario: Scenario = {
  name: 'potentiostat',
  summary: `${SECONDS} s of CA at 2778 samples/s per virtual device: devices that lost no sample`,
  async run(print: Print) {
    const rows: Acquisition[] = []
    for (const count of DEVICE_COUNTS) rows.push(await acquire(count))
    const alone = rows[0]?.processors ?? Number.NaN
    print(
      renderTable(
        ['devices', 'complete', 'samples', 'retries', 'CPU', 'per device, ratio to one alone'],
        rows.map(({ devices, complete, samples, retries, processors }) => [
          String(devices),
          String(complete),
          formatCount(samples),
          String(retries),
          `${(100 * processors).toFixed(0)} %`,
          `${(processors / devices / alone).toFixed(2)} ×`,
        ]),
      ),
    )
    const complete = rows.find(({ devices }) => devices === FLOOR_DEVICES)?.complete ?? 0
    print(verdict(complete === FLOOR_DEVICES, `${FLOOR_DEVICES} devices without a lost sample`, `${complete}`))
    print(describeLoad())
  },
}

interface Acquisition {
  readonly devices: number
  /** Devices whose measurement ended with all its samples. */
  readonly complete: number
  readonly samples: number
  readonly retries: number
  /** Processor time of this process by elapsed time. */
  readonly processors: number
}

async function acquire(count: number): Promise<Acquisition> {
  const directory = await mkdtemp(join(tmpdir(), 'potentiostat-bench-'))
  const devices = fork(DEVICES_PROCESS, [directory, String(count)])
  try {
    await once(devices, 'message')
    const clock = createClock()
    const ports = await readdir(join(directory, 'serial'))
    const cpuBefore = process.cpuUsage()
    const startedMs = clock.monotonicMs()
    const outcomes = await Promise.all(
      ports.map(async (port) => {
        const device = new Potentiostat(await openSocket(join(directory, 'serial', port)))
        const stats = new AcquisitionStats()
        const measurement = {
          plan: ca.plan({ potential: 0.3, duration: SECONDS }),
          gain: 1,
          stop: new AbortController().signal,
          onStart: () => undefined,
          onSamples: () => undefined,
          onImpedance: () => undefined,
        }
        const complete = await measure(device, clock, measurement, stats).then(
          () => true,
          () => false,
        )
        const { retries } = device.modbus
        await device.close()
        return { complete, retries, stats }
      }),
    )
    const elapsedMs = clock.monotonicMs() - startedMs
    const { user, system } = process.cpuUsage(cpuBefore)
    return {
      devices: count,
      complete: outcomes.filter((outcome) => outcome.complete).length,
      samples: outcomes.reduce((sum, { stats }) => sum + stats.samples, 0),
      retries: outcomes.reduce((sum, outcome) => sum + outcome.retries, 0),
      processors: (user + system) / 1000 / elapsedMs,
    }
  } finally {
    devices.kill()
    await once(devices, 'exit')
    await rm(directory, { recursive: true, force: true })
  }
}

async function openSocket(path: string): Promise<SerialConnection> {
  const socket = connect(path)
  await once(socket, 'connect')
  socket.on('error', () => undefined)
  return {
    get open() {
      return !socket.destroyed
    },
    write: async (bytes) => void socket.write(bytes),
    onData: (listener) => void socket.on('data', listener),
    onClose: (listener) => void socket.on('close', () => listener(null)),
    close: async () => {
      socket.destroy()
    },
  }
}
