import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { benchOf, outputsOn } from '../support/bench-outputs.js'
import { fillDisk } from '../support/fill-disk.js'
import { findGuardian } from '../support/processes.js'
import { createLabHome, type Lab, type LabHome } from '../support/start-lab.js'
import { until } from '../support/until.js'

/** Only root may mount a disk small enough to fill. */
const mayMount = process.getuid?.() === 0

let lab: LabHome

beforeEach(() => {
  lab = createLabHome()
})
afterEach(() => lab.remove())

/** Makes the data directory a disk of its own. Returns what takes it away again. */
function mountSmallDisk(): () => void {
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', lab.home])
  return () => void execFileSync('umount', ['-l', lab.home])
}

/** Main, services and guardian at once: nobody is left who could switch anything off. */
async function killEverything(unit: Lab): Promise<void> {
  const guardian = findGuardian(lab.home)
  if (guardian === undefined) throw new Error('no guardian')
  process.kill(unit.servicesPid(), 'SIGSTOP')
  process.kill(guardian.pid, 'SIGKILL')
  await unit.killAll()
}

/** Duty cycles, read from the files the services write: the bench cannot tell its outputs on a full disk. */
function dutyCycles(): readonly number[] {
  const pwm = join(benchOf(lab.home), 'class', 'pwm')
  return readdirSync(pwm, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('duty_cycle'))
    .map((path) => Number.parseInt(readFileSync(join(pwm, path), 'utf8'), 10))
}

/** A unit that stirs, and then nobody who could end that. */
async function leaveStirring(): Promise<void> {
  const unit = await lab.start()
  await unit.send('POST', '/unit_api/jobs/run/job_name/stirring', { env: { EXPERIMENT: 'left' } })
  await until(() => outputsOn(lab.home).length > 0, 'stirring')
  await killEverything(unit)
  expect(Math.max(...dutyCycles())).toBeGreaterThan(0)
}

it('a start with a wrong setting drives the outputs safe, then says what is wrong', async () => {
  await leaveStirring()
  const next = lab.launch({ HTTP_PORT: 'eighty' })
  expect(await next.exited()).toBe(1)
  await until(() => outputsOn(lab.home).length === 0, 'safe outputs')
  expect(next.output()).toContain('HTTP_PORT')
})

it('safe-state does its work although a setting is wrong', async () => {
  await leaveStirring()
  expect(await lab.launch({ HTTP_PORT: 'eighty' }, 'safe-state').exited()).toBe(0)
  await until(() => outputsOn(lab.home).length === 0, 'safe outputs')
})

it.skipIf(!mayMount)('a start on a full disk drives the outputs safe, then says what it needs', async () => {
  const unmount = mountSmallDisk()
  try {
    await leaveStirring()
    const ballast = fillDisk(lab.home)
    const next = lab.launch()
    expect(await next.exited()).toBe(1)
    expect(Math.max(...dutyCycles())).toBe(0)
    expect(next.output()).toContain(`BENCHLOG_HOME: the disk of ${lab.home} has 0.0 MiB free; a start needs 16 MiB.`)
    expect(next.output()).not.toContain('    at ')

    rmSync(ballast)
    await until(() => outputsOn(lab.home).length === 0, 'the outputs to be told as off')
    expect(await (await lab.start()).interrupt()).toBe(0)
  } finally {
    unmount()
  }
})
