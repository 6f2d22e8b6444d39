import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { makeHome, writeServicePassword } from '../../cli/home.js'
import { mainPath } from '../../cli/services-command.js'
import { supervisedEnvironment } from '../../cli/under-supervision.js'
import { readConfig } from '../../config.js'
import { shutDownBench } from '../../simulation/bench-directory.js'
import { spawnBench } from '../../simulation/spawn-bench.js'
import { benchOf } from '../support/bench-outputs.js'
import { temporaryDirectory } from '../support/temporary-directory.js'

/** Accepts connections and says nothing, so that the services never get beyond their start. */
let silentBroker: Server
let home: string
let services: ChildProcess

beforeEach(async () => {
  home = temporaryDirectory()
  const config = readConfig({ BENCHLOG_HOME: home })
  makeHome(config)
  writeServicePassword(config)
  await spawnBench({ directory: join(config.runDirectory, 'bench'), seed: 1 })
  silentBroker = createServer().listen(config.brokerSocketPath)
  await once(silentBroker, 'listening')
  const connected = once(silentBroker, 'connection')
  services = spawn(process.execPath, [mainPath(), 'services'], {
    env: supervisedEnvironment({ ...process.env, BENCHLOG_HOME: home, LOG_LEVEL: 'silent' }),
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  await connected
})
afterEach(async () => {
  services.kill('SIGKILL')
  silentBroker.close()
  await shutDownBench(benchOf(home))
})

it('ends when its parent dies during the start', async () => {
  services.disconnect()
  expect(await once(services, 'exit')).toEqual([1, null])
})

it('leaves a signal during the start to its supervisor', async () => {
  services.kill('SIGINT')
  services.send('stop')
  expect(await once(services, 'exit')).toEqual([0, null])
})
