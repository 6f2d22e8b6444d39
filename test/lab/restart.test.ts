import { afterEach, beforeEach, expect, it } from 'vitest'
import { outputsOn } from '../support/bench-outputs.js'
import { findProcesses } from '../support/processes.js'
import { createLabHome, type LabHome, type LaunchedLab, READY } from '../support/start-lab.js'
import { until } from '../support/until.js'

let lab: LabHome

beforeEach(() => {
  lab = createLabHome()
})
afterEach(() => lab.remove())

const mainPid = (unit: LaunchedLab): number =>
  findProcesses(
    ({ command, environment }) =>
      environment['BENCHLOG_LAUNCHER'] === String(unit.main.pid) && command.at(-1)?.endsWith('main.js') === true,
  )[0]?.pid ?? Number.NaN

const banners = (unit: LaunchedLab): number => unit.output().split(READY).length - 1

async function startStirring(unit: LaunchedLab): Promise<void> {
  const [, url] = /(http:\/\/localhost:\d+)$/m.exec(unit.output()) ?? []
  const body = JSON.stringify({ env: { EXPERIMENT: 'restart' } })
  const headers = { 'content-type': 'application/json' }
  await fetch(`${url}/unit_api/jobs/run/job_name/stirring`, { method: 'POST', headers, body })
  await until(() => outputsOn(lab.home).length > 0, 'stirring')
}

it('main that is killed is started again, with the outputs safe; Ctrl-C ends it for good', async () => {
  const unit = lab.launchSupervised()
  await until(() => banners(unit) === 1, 'the banner', 60_000)
  await startStirring(unit)
  const killed = mainPid(unit)
  process.kill(killed, 'SIGKILL')
  await until(() => outputsOn(lab.home).length === 0, 'safe outputs')
  await until(() => banners(unit) === 2, 'a second banner', 60_000)
  expect(mainPid(unit)).not.toBe(killed)
  expect(unit.output()).toContain('The unit ended with status 137 and is started again.')
  expect(await unit.interrupt()).toBe(0)
})

it('a unit whose launcher is killed does not stay behind', async () => {
  const unit = lab.launchSupervised()
  await until(() => banners(unit) === 1, 'the banner', 60_000)
  await startStirring(unit)
  const left = mainPid(unit)
  unit.main.kill('SIGKILL')
  await until(() => findProcesses(({ pid }) => pid === left).length === 0, 'the end of main')
  expect(outputsOn(lab.home)).toEqual([])
})
