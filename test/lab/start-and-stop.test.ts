import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { connectAsync, type MqttClient } from 'mqtt'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openForWriting } from '../../projections/engine/database.js'
import { isBenchAlive } from '../../simulation/bench-directory.js'
import { benchOf, outputsOn } from '../support/bench-outputs.js'
import { freePort } from '../support/free-port.js'
import { createLabHome, type LabHome, READY } from '../support/start-lab.js'
import { until } from '../support/until.js'

let lab: LabHome

beforeEach(() => {
  lab = createLabHome()
})
afterEach(() => lab.remove())

/** Resolves once a broker answers there. */
async function connected(url: string): Promise<MqttClient> {
  let client: MqttClient | undefined
  await until(async () => {
    client = await connectAsync(url, { reconnectPeriod: 0 }).catch(() => undefined)
    return client !== undefined
  }, `a broker at ${url}`)
  return client as unknown as MqttClient
}

it.each([
  ['the bench is made', 'run/bench'],
  ['the log is opened', 'event-log.db'],
  ['the broker listens', 'run/service-password'],
  ['the services start', 'run/services.pid'],
])('a Ctrl-C as soon as %s ends the start, the bench included', async (_, file) => {
  const unit = lab.launch()
  await until(() => existsSync(join(lab.home, file)), file)
  expect(await unit.interrupt()).toBe(0)
  expect(unit.output()).not.toMatch(/restarting|Error| {4}at /)
  expect(unit.output()).not.toContain(READY)
  expect(await isBenchAlive(benchOf(lab.home))).toBe(false)
})

it('a culture does not wait until a long log is folded; requests do', async () => {
  const readModels = openForWriting(join(lab.home, 'read-models.db'))
  readModels.exec('BEGIN IMMEDIATE')
  const [port, httpPort] = [await freePort(), await freePort()]
  const unit = lab.launch({ MQTT_PORT: port, HTTP_PORT: httpPort })
  const states: string[] = []
  const client = await connected(`mqtt://localhost:${port}`)
  client.on('message', (_topic, payload) => states.push(payload.toString()))
  await client.subscribeAsync('system/lab/service')
  await until(() => states.some((state) => state.includes('"ready"')), 'the services')
  expect(unit.output()).not.toContain(READY)
  const health = await fetch(`http://localhost:${httpPort}/unit_api/health`)
  expect(await health.json()).toMatchObject({ status: 'ok', starting: true })
  const jobs = await fetch(`http://localhost:${httpPort}/unit_api/jobs/running`)
  expect([jobs.status, jobs.headers.get('retry-after')]).toEqual([503, '1'])
  await client.endAsync()
  readModels.exec('ROLLBACK')
  readModels.close()
  await until(() => unit.output().includes(READY), 'the whole unit')
  expect(await unit.interrupt()).toBe(0)
})

it('a terminal that is closed ends the unit as a Ctrl-C does', async () => {
  const unit = await lab.start()
  unit.main.stdout?.destroy()
  unit.main.stderr?.destroy()
  expect(await unit.interrupt('SIGHUP')).toBe(0)
  expect(outputsOn(lab.home)).toEqual([])
  expect(await isBenchAlive(benchOf(lab.home))).toBe(false)
})

it('nothing else runs on the data directory of a running unit, nor disturbs it', async () => {
  const unit = await lab.start()
  for (const command of ['services', 'projections', 'broker', 'rebuild']) {
    const second = lab.launch({}, command)
    expect(await second.exited()).toBe(1)
    expect(second.output()).toMatch(/is in use: its \w+ run in process \d+/)
  }
  expect(await unit.interrupt()).toBe(0)
  expect(unit.output()).not.toContain('restarting')
})
