import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createClock } from '../clock.js'
import { Potentiostat } from '../services/potentiostat/device.js'
import { measure } from '../services/potentiostat/driver.js'
import { ca } from '../services/potentiostat/modes/ca.js'
import { Observation } from '../services/potentiostat/observation.js'
import type { SerialConnection } from '../services/transport/hardware.js'

const SECONDS = 10
const DEVICE_COUNTS = [1, 10, 32] as const
const DEVICES_PROCESS = fileURLToPath(new URL('./potentiostat-devices.js', import.meta.url))

/** How many virtual devices the driver follows at full rate (2778 samples/s each) without a lost sample. The devices live in a process
 * of their own; its CPU use is not part of the figure. */
export async function run(): Promise<void> {
  process.stdout.write(
    `potentiostat acquisition, ${SECONDS} s of CA at 2778 samples/s per device, ${cpus().length} CPUs\n`,
  )
  for (const count of DEVICE_COUNTS) process.stdout.write(`${await acquire(count)}\n`)
}

async function acquire(count: number): Promise<string> {
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
        const device = new Potentiostat(await openSocket(join(directory, 'serial', port)), clock)
        const observation = new Observation()
        const measurement = {
          plan: ca.plan({ potential: 0.3, duration: SECONDS }),
          gain: 1,
          stop: new AbortController().signal,
          onStart: () => undefined,
          onRows: () => undefined,
          onImpedance: () => undefined,
        }
        const complete = await measure(device, clock, measurement, observation).then(
          () => true,
          () => false,
        )
        const { retries } = device.modbus
        await device.close()
        return { complete, retries, observation }
      }),
    )
    const elapsedMs = clock.monotonicMs() - startedMs
    const { user, system } = process.cpuUsage(cpuBefore)
    const samples = outcomes.reduce((sum, { observation }) => sum + observation.samples, 0)
    const complete = outcomes.filter((outcome) => outcome.complete).length
    const retries = outcomes.reduce((sum, outcome) => sum + outcome.retries, 0)
    const cpu = (user + system) / 1000 / elapsedMs
    return `${count} device(s): ${complete} complete, ${samples} samples, ${retries} retries, ${(100 * cpu).toFixed(0)} % of a CPU`
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
