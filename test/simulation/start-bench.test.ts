import { fork, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { createClock } from '../../clock.js'
import { isBenchAlive, shutDownBench } from '../../simulation/bench-directory.js'
import { connectBench } from '../../simulation/connect-bench.js'
import { spawnBench } from '../../simulation/spawn-bench.js'
import { startBench } from '../../simulation/start-bench.js'
import { listenAt } from '../../simulation/unix-sockets.js'
import { readOutputs } from '../support/bench-outputs.js'
import { eventually } from '../support/eventually.js'
import { silentLogger } from '../support/silent-logger.js'
import { temporaryDirectory } from '../support/temporary-directory.js'

const endings: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})

const start = (directory: string) => ({ directory, clock: createClock(), seed: 1, logger: silentLogger })

async function spawned(directory: string): Promise<number> {
  const pid = await spawnBench({ directory, seed: 1, logLevel: 'silent' })
  endings.push(() => shutDownBench(directory))
  return pid
}

const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

test('a bench lives on when the client that drives it is killed', async () => {
  const directory = temporaryDirectory()
  await spawned(directory)
  const client = fork(new URL('./stirring-client.js', import.meta.url), [directory], { stdio: 'ignore' })
  await once(client, 'message')
  client.kill('SIGKILL')
  await once(client, 'exit')

  expect(await isBenchAlive(directory)).toBe(true)
  const hardware = await connectBench(directory)
  endings.push(() => hardware.close())
  expect(readOutputs(directory)).toMatchObject({ pwm: { 17: 30 }, leds: { A: 80 } })
  await hardware.pwm.allOff()
  await eventually(() => expect(readOutputs(directory)).toMatchObject({ pwm: { 17: 0 } }))
})

test('a process that is told to shut down ends', async () => {
  const directory = temporaryDirectory()
  const pid = await spawned(directory)
  await shutDownBench(directory)
  await eventually(() => expect(isRunning(pid)).toBe(false))
  expect(await isBenchAlive(directory)).toBe(false)
})

test('a second bench in a live directory is refused, in a process too', async () => {
  const directory = temporaryDirectory()
  const bench = await startBench(start(directory))
  endings.push(() => bench.stop())
  await expect(startBench(start(directory))).rejects.toMatchObject({ code: 'simulation.running' })
  await expect(spawnBench({ directory, seed: 1 })).rejects.toThrow(/did not start: A simulated bench already runs/)
  expect(await isBenchAlive(directory)).toBe(true)
})

test('a bench without clients ends itself', async () => {
  const directory = temporaryDirectory()
  const bench = await startBench({ ...start(directory), idleMs: 1 })
  await bench.ended
  expect(await isBenchAlive(directory)).toBe(false)
})

test('a bench whose devices do not start leaves nothing behind', async () => {
  const directory = temporaryDirectory()
  const broken = async () => {
    throw new Error('no device')
  }
  await expect(startBench({ ...start(directory), devices: [broken] })).rejects.toThrow('no device')
  expect(await isBenchAlive(directory)).toBe(false)
  const bench = await startBench(start(directory))
  endings.push(() => bench.stop())
})

test('a client finds the bench again after it was started anew', async () => {
  const directory = temporaryDirectory()
  const first = await startBench(start(directory))
  const hardware = await connectBench(directory)
  endings.push(() => hardware.close())
  const times: number[] = []
  const endWatch = await hardware.gpio.watchFalling(21, (timeS) => times.push(timeS))
  endings.push(endWatch)
  await first.stop()
  await expect(hardware.i2c.writeRead(0x2c, Uint8Array.of(8), 2)).rejects.toMatchObject({ code: 'hardware.no_device' })

  const second = await startBench({ ...start(directory), tickMs: 20 })
  endings.push(() => second.stop())
  expect(await hardware.i2c.writeRead(0x2c, Uint8Array.of(8), 2)).toEqual(Uint8Array.of(5, 0))
  await (await hardware.pwm.open(17, 200)).setDutyCycle(60)
  await eventually(() => expect(times.length).toBeGreaterThan(0))
})

test('without a bench there is no hardware to connect to', async () => {
  await expect(connectBench(temporaryDirectory())).rejects.toMatchObject({ code: 'hardware.no_device' })
})

test('only its owner may enter, and long paths are served', async () => {
  const directory = join(temporaryDirectory(), 'a'.repeat(60), 'b'.repeat(60))
  const name = 'usb-Acceleration_Consortium_Potentiostat_0123456789AB-if00'
  const identity = { usb: { vendorId: '07e6', productId: '5653' }, serialNumber: '0123456789AB' }
  const bench = await startBench({
    ...start(directory),
    devices: [
      async ({ addPort }) => ({
        stop: await listenAt(await addPort({ name, ...identity }), (socket) => socket.pipe(socket)),
      }),
    ],
  })
  endings.push(() => bench.stop())
  expect((await stat(directory)).mode & 0o777).toBe(0o700)

  const hardware = await connectBench(directory)
  endings.push(() => hardware.close())
  const [device] = await hardware.serial.list()
  expect(device).toEqual({ path: join(directory, 'serial', name), ...identity })
  const connection = await hardware.serial.open(device?.path ?? '', 9600)
  const echo = new Promise((resolve) => connection.onData((bytes) => resolve(Buffer.from(bytes).toString())))
  const gone = new Promise((resolve) => connection.onClose(resolve))
  await connection.write(Buffer.from('echo'))
  expect(await echo).toBe('echo')
  await connection.close()
  await gone
  expect(connection.open).toBe(false)
})

const withoutPrlimit = spawnSync('prlimit', ['--version']).status !== 0

/** Lets a process write no byte to any file, as on a full disk, or again as many as it likes. */
const limitFiles = (pid: number, soft: '0' | 'unlimited'): unknown =>
  expect(spawnSync('prlimit', [`--pid=${pid}`, `--fsize=${soft}:unlimited`]).status).toBe(0)

test.skipIf(withoutPrlimit)('a bench that cannot write its files goes on, and writes them when it can', async () => {
  const directory = temporaryDirectory()
  const pid = await spawned(directory)
  const hardware = await connectBench(directory)
  endings.push(() => hardware.close())
  const stirrer = await hardware.pwm.open(17, 200)
  limitFiles(pid, '0')
  await stirrer.setDutyCycle(40)
  await hardware.i2c.write(0x2c, Uint8Array.of(0, 204))
  await expect(hardware.i2c.isPresent(0x2c)).resolves.toBe(true)
  expect(readOutputs(directory)).toMatchObject({ leds: { A: 0 } })
  limitFiles(pid, 'unlimited')
  await eventually(() => expect(readOutputs(directory)).toMatchObject({ pwm: { 17: 40 }, leds: { A: 80 } }))
})
