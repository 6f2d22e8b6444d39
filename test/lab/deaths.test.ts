import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { MqttClient } from 'mqtt'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { orderBench } from '../../simulation/bench-control.js'
import type { VialTruth } from '../../simulation/bioreactor/truth.js'
import { benchOf, outputsOn, readOutputs } from '../support/bench-outputs.js'
import { watch } from '../support/event-watch.js'
import { fillDisk } from '../support/fill-disk.js'
import { createLabHome, type Lab, type LabHome } from '../support/start-lab.js'
import { ML_PER_S, secondsUntilOff, startWork, WORK_ENV } from '../support/start-work.js'
import { temporaryDirectory } from '../support/temporary-directory.js'
import { until } from '../support/until.js'

/* What a unit survives. What kills it is in `crash`. */

/** Only root may mount a disk small enough to fill. */
const mayMount = process.getuid?.() === 0
const DAY_MS = 86_400_000

let home: LabHome
let events: Awaited<ReturnType<typeof watch>>
let client: MqttClient

beforeEach(() => {
  home = createLabHome()
})
afterEach(() => home.remove())

async function startWorking(env: Readonly<Record<string, string>> = {}): Promise<{ lab: Lab; runId: string }> {
  const lab = await home.start({ ...WORK_ENV, ...env })
  client = await lab.connect()
  events = await watch(client, '#')
  return { lab, runId: await startWork(lab) }
}

const messagesOf = (level: string): readonly string[] =>
  events.texts(`logs/app/${level}`).map((text) => (JSON.parse(text) as { message: string }).message)
const statesOf = (job: string): readonly string[] => events.texts(`/crash/${job}/$state`)
const bench = (order: string): Promise<unknown> => orderBench(benchOf(home.home), order)
const runStatus = async (lab: Lab, runId: string): Promise<string> =>
  (await lab.get<{ status: string }>(`/jobs/${runId}`)).status

it('a bus of the LEDs that fails, a clock that is set, sensors that come loose, and a safe-state beside the unit leave nothing on, and the log tells', {
  timeout: 120_000,
}, async () => {
  const offset = join(temporaryDirectory(), 'offset')
  writeFileSync(offset, '0')
  const clock = new URL(`../support/jumping-clock.js?offset=${offset}`, import.meta.url).href
  const { lab, runId } = await startWorking({ NODE_OPTIONS: `--import ${clock}` })
  const truth = async (): Promise<VialTruth> => (await bench('truth')) as VialTruth

  // The chip of the LEDs and photodiodes fails in mid-dose. An LED that cannot be reached is an alarm; it goes out when it can be.
  const isLit = (): boolean => readOutputs(benchOf(home.home)).leds.B > 0
  await until(isLit, 'the LED to shine')
  await bench('fault i2c_error leds')
  await lab.send('POST', '/unit_api/jobs/stop', { job_name: 'led_intensity' })
  await until(
    () => messagesOf('critical').some((text) => text.includes('LED B')),
    'the alarm of an LED that does not follow',
  )
  expect(['12', '13', '16', '17', '18'].filter((pin) => readOutputs(benchOf(home.home)).pwm[pin] === 0)).toEqual([])
  await bench('mend i2c_error leds')
  await until(() => !isLit(), 'the LED to be dark')
  await until(() => statesOf('led_intensity').at(-1) === 'disconnected', 'its job to be ended')
  expect(isLit()).toBe(false)

  // The clock of the wall is set in mid-dose: what moves is measured with another one.
  await lab.send('POST', '/unit_api/jobs/stop', { job_name: 'add_media' })
  await until(() => readOutputs(benchOf(home.home)).pwm['13'] === 0, 'the pump to stand')
  const before = (await truth()).media_in_ml
  for (const jumpMs of [DAY_MS, -DAY_MS]) {
    await lab.send('POST', '/unit_api/jobs/run/job_name/add_media', {
      options: { duration: 8 },
      env: { EXPERIMENT: 'crash' },
    })
    await until(() => readOutputs(benchOf(home.home)).pwm['13'] !== 0, 'the pump to run')
    writeFileSync(offset, String(jumpMs))
    await until(() => readOutputs(benchOf(home.home)).pwm['13'] === 0, 'the end of the dose', 6000)
  }
  expect((await truth()).media_in_ml - before).toBeCloseTo(16 * ML_PER_S, 2)
  expect(['16', '17', '18'].filter((pin) => readOutputs(benchOf(home.home)).pwm[pin] === 0)).toEqual([])

  // A converter and the probe of the heater come loose, one after the other: each costs its own job what it needs, and nobody else anything.
  const lost = (): number => messagesOf('error').filter((text) => text.startsWith('Reading lost')).length
  const lostBefore = lost()
  await bench('fault unplugged pd2')
  await until(() => lost() > lostBefore, 'a reading to be lost')
  await until(() => readOutputs(benchOf(home.home)).leds.A === 0, 'the IR LED to be dark')
  await bench('mend unplugged pd2')
  await bench('fault unplugged heater_board')
  const unpluggedMs = performance.now()
  await until(() => readOutputs(benchOf(home.home)).pwm['18'] === 0, 'the heater to be off without its probe', 6000)
  const heaterS = (performance.now() - unpluggedMs) / 1000
  await until(() => messagesOf('error').some((text) => text.includes('probe')), 'the lost probe to be told')
  expect(['16', '17'].filter((pin) => readOutputs(benchOf(home.home)).pwm[pin] === 0)).toEqual([])
  expect(statesOf('od_reading').at(-1)).toBe('ready')
  await bench('mend unplugged heater_board')
  process.stdout.write(`heater without its probe: ${heaterS.toFixed(1)} s\n`)

  // Somebody at the command line.
  const safeState = home.launch(WORK_ENV, 'safe-state')
  const seconds = await secondsUntilOff(home.home, 10_000)
  expect(await safeState.exited()).toBe(0)
  await until(() => messagesOf('error').includes('bioreactor failed: safe-state was run beside the unit.'), 'the alarm')
  await until(() => statesOf('stirring').at(-1) === 'disconnected', 'the jobs to be ended')
  await until(async () => (await runStatus(lab, runId)) === 'failed', 'the run to have failed')
  await until(() => events.texts('/crash/pwms/dc').at(-1) === '{}', 'the outputs to be told')
  expect(outputsOn(home.home)).toEqual([])
  process.stdout.write(`safe-state beside the unit: ${JSON.stringify(seconds)}\n`)
  await until(async () => {
    await lab.send('POST', '/unit_api/jobs/run/job_name/stirring', { env: { EXPERIMENT: 'crash' } })
    return outputsOn(home.home).some((on) => on.startsWith('pwm 17'))
  }, 'orders to be taken again')
  await client.endAsync()
  expect(await lab.interrupt()).toBe(0)
})

/** Mounts a small disk for the data and another one for what the bench tells. Returns what takes them away again. */
function mountDisks(): () => void {
  const run = join(home.home, 'run')
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', home.home])
  mkdirSync(run, { mode: 0o700 })
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', run])
  return () => {
    for (const path of [run, home.home]) execFileSync('umount', ['-l', path])
  }
}

it.skipIf(!mayMount)(
  'a full log, and a broker that hangs, switch everything off; afterwards jobs go on, and the log tells of the gap',
  {
    timeout: 120_000,
  },
  async () => {
    const unmount = mountDisks()
    try {
      const { lab, runId } = await startWorking()
      const gaps = (): number => messagesOf('warning').filter((text) => text.startsWith('Resumed after a gap')).length
      const ballast = fillDisk(home.home)
      const full = await secondsUntilOff(home.home, 10_000)
      rmSync(ballast)
      await until(() => gaps() >= 3, 'the jobs to go on')
      await until(async () => (await runStatus(lab, runId)) === 'failed', 'the run to have failed')
      // Three pumps and the LED.
      expect(messagesOf('error').filter((text) => text.startsWith('Stopping: '))).toHaveLength(4)
      await until(() => outputsOn(home.home).some((on) => on.startsWith('pwm 17')), 'stirring to go on')

      const told = gaps()
      process.kill(lab.mainPid(), 'SIGSTOP')
      const hung = await secondsUntilOff(home.home, 6000)
      process.kill(lab.mainPid(), 'SIGCONT')
      await until(() => gaps() >= told + 3, 'the jobs to go on again')
      await until(() => outputsOn(home.home).some((on) => on.startsWith('pwm 17')), 'stirring to go on again')
      process.stdout.write(`full log: ${JSON.stringify(full)}; broker hangs: ${JSON.stringify(hung)}\n`)
      await client.endAsync(true)
      expect(await lab.interrupt()).toBe(0)
    } finally {
      unmount()
    }
  },
)
