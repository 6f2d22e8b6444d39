import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { mainPath } from '../../cli/services-command.js'
import { unitEnvironment } from '../support/start-lab.js'
import { temporaryDirectory } from '../support/temporary-directory.js'

let taken: Server
let home: string

beforeEach(async () => {
  home = temporaryDirectory()
  taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
})
afterEach(() => taken.close())

function start(settings: Readonly<Record<string, string>>) {
  const { status, stderr } = spawnSync(process.execPath, [mainPath()], {
    encoding: 'utf8',
    timeout: 25_000,
    env: unitEnvironment(home, { LOG_LEVEL: 'silent', SIMULATED_POTENTIOSTATS: '0', ...settings }),
  })
  return { status, stderr }
}

it.each(['MQTT_PORT', 'MQTT_WS_PORT', 'HTTP_PORT'])('a taken %s is named, without a stack trace', (setting) => {
  const { port } = taken.address() as AddressInfo
  const { status, stderr } = start({ [setting]: String(port) })
  expect(status).toBe(1)
  expect(stderr).toBe(
    `${setting} is ${port}; another program listens there.\n` +
      `Stop that program, or set ${setting} to another port; 0 picks a free one.\n`,
  )
})

it('an address that this machine does not have is named', () => {
  const { status, stderr } = start({ HOST: '192.0.2.1', ALLOW_INSECURE: 'box_api,unit_api,mqtt' })
  expect([status, stderr]).toEqual([1, expect.stringMatching(/^HOST is 192\.0\.2\.1; .*\nSet HOST .*\n$/)])
})

it.each([
  ['BENCHLOG_HOME', 'it is not a directory'],
  ['RUNS_ROOT', 'a part of the path is not a directory'],
])('a %s that cannot be used is named', (setting, reason) => {
  const file = join(home, 'file')
  mkdirSync(home, { recursive: true })
  writeFileSync(file, '')
  const path = setting === 'RUNS_ROOT' ? join(file, 'below') : file
  const { status, stderr } = start({ [setting]: path })
  expect([status, stderr]).toEqual([1, expect.stringContaining(`${setting}: ${path} cannot be used: ${reason}.\n`)])
  expect(stderr).not.toContain('    at ')
})
