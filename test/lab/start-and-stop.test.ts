import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { mainPath } from '../../cli/services-command.js'
import { isBenchAlive, shutDownBench } from '../../simulation/bench-directory.js'
import { benchOf } from '../support/bench-outputs.js'
import { temporaryDirectory } from '../support/temporary-directory.js'
import { until } from '../support/until.js'

let home: string
let unit: ChildProcess
let output: string

beforeEach(() => {
  home = temporaryDirectory()
  output = ''
})
afterEach(async () => {
  unit.kill('SIGKILL')
  await shutDownBench(benchOf(home))
})

function start(...args: readonly string[]): void {
  const env = { ...process.env, BENCHLOG_HOME: home, HTTP_PORT: '0', MQTT_PORT: '0', MQTT_WS_PORT: '0' }
  unit = spawn(process.execPath, [mainPath(), ...args], { detached: true, stdio: ['ignore', 'pipe', 'pipe'], env })
  for (const stream of [unit.stdout, unit.stderr]) {
    stream?.on('data', (text: Buffer) => {
      output += text.toString()
    })
  }
}

const exited = async (): Promise<number | null> => {
  if (unit.exitCode === null && unit.signalCode === null) await once(unit, 'exit')
  return unit.exitCode
}
const ready = (): Promise<void> => until(() => output.includes('Ctrl-C stops it'), 'the banner', 60_000)

it.each([
  ['the bench is made', 'run/bench'],
  ['the log is opened', 'event-log.db'],
  ['the broker listens', 'run/service-password'],
  ['the services start', 'run/services.pid'],
])('a Ctrl-C as soon as %s ends the start, the bench included', async (_, file) => {
  start()
  await until(() => existsSync(join(home, file)), file)
  process.kill(-Number(unit.pid), 'SIGINT')
  expect(await exited()).toBe(0)
  expect(output).not.toMatch(/restarting|Error| {4}at /)
  expect(output).not.toContain('Ctrl-C stops it')
  expect(await isBenchAlive(benchOf(home))).toBe(false)
})

it('a terminal that is closed ends the unit as a Ctrl-C does', async () => {
  start()
  await ready()
  unit.stdout?.destroy()
  unit.stderr?.destroy()
  process.kill(-Number(unit.pid), 'SIGHUP')
  expect(await exited()).toBe(0)
  expect(await isBenchAlive(benchOf(home))).toBe(false)
})

it.each(['services', 'projections', 'broker', 'rebuild'])(
  '%s is refused beside a running unit, and disturbs nothing',
  async (command) => {
    start()
    await ready()
    const running = unit
    start(command)
    const second = unit
    unit = running
    const [code] = await once(second, 'exit')
    expect(code).toBe(1)
    expect(output).toMatch(/is in use: its \w+ run in process \d+/)
    process.kill(-Number(unit.pid), 'SIGINT')
    expect(await exited()).toBe(0)
    expect(output).not.toContain('restarting')
  },
)
