import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { connectAsync } from 'mqtt'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openForWriting } from '../../projections/database.js'
import { outputsOn } from '../support/bench-outputs.js'
import { createLabHome, type LabHome } from '../support/start-lab.js'
import { until } from '../support/until.js'

let home: LabHome
beforeEach(() => {
  home = createLabHome()
})
afterEach(() => home.remove())

async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return String(port)
}

it('leaves on Ctrl-C while it starts, every output off', async () => {
  const launched = home.launch()
  await until(() => existsSync(join(home.home, 'event-log.db')), 'the log to be opened')
  expect(await launched.interrupt()).toBe(0)
  expect(launched.output()).not.toMatch(/Ctrl-C stops it/)
  expect(outputsOn(home.home)).toEqual([])
})

it('has its services at work while read models cannot be folded, and answers requests once they are', async () => {
  const readModels = openForWriting(join(home.home, 'read-models.db'))
  readModels.exec('BEGIN IMMEDIATE')
  const port = await freePort()
  const launched = home.launch({ MQTT_PORT: port })
  await until(() => existsSync(join(home.home, 'sessions.db')), 'the broker')
  const states: string[] = []
  const client = await connectAsync(`mqtt://localhost:${port}`, { reconnectPeriod: 20 })
  client.on('message', (_topic, payload) => states.push(JSON.parse(payload.toString()).state))
  await client.subscribeAsync('system/lab/service')
  await until(() => states.includes('ready'), 'the services')
  expect(launched.output()).not.toMatch(/Ctrl-C stops it/)
  await client.endAsync()
  readModels.exec('ROLLBACK')
  readModels.close()
  await until(() => /Ctrl-C stops it/.test(launched.output()), 'the whole unit')
  expect(await launched.interrupt()).toBe(0)
})
