import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { findBench, findGuardian, findProcesses } from '../support/processes.js'
import { createLabHome, type LabHome } from '../support/start-lab.js'
import { until } from '../support/until.js'

let lab: LabHome

beforeEach(() => {
  lab = createLabHome()
})
afterEach(() => lab.remove())

const SECRETS = {
  BOX_API_KEY: 'secret-of-the-box',
  UNIT_API_PASSWORD: 'secret-of-the-unit',
  MQTT_USERNAME: 'flow',
  MQTT_PASSWORD: 'secret-of-mqtt',
  MQTT_LEADER_PASSWORD: 'secret-of-the-leader',
  CLOUD_TOKEN: 'secret-of-somebody-else',
}

it('no process but main is told a secret, and nobody else may read what they write', async () => {
  const unit = await lab.start(SECRETS)
  await until(() => findGuardian(lab.home) !== undefined, 'the guardian')
  const told = (environment: Readonly<Record<string, string>>): readonly string[] =>
    Object.keys(SECRETS).filter((name) => name in environment)
  const [main] = findProcesses(({ pid }) => pid === unit.main.pid)
  expect(told(main?.environment ?? {})).toEqual(Object.keys(SECRETS))
  const children = [
    ...findProcesses(({ pid }) => pid === unit.servicesPid()),
    findGuardian(lab.home),
    findBench(lab.home),
  ]
  expect(children.map((child) => child && told(child.environment))).toEqual([[], [], []])

  const home = lstatSync(lab.home)
  expect((home.mode & 0o777).toString(8)).toBe('700')
  const open = readdirSync(lab.home, { recursive: true, encoding: 'utf8' }).filter((path) => {
    const entry = lstatSync(join(lab.home, path))
    return !entry.isSymbolicLink() && (entry.mode & 0o077) !== 0
  })
  expect(open).toEqual([])
  expect(await unit.interrupt()).toBe(0)
})
