import { fileURLToPath } from 'node:url'
import { afterEach, expect, it } from 'vitest'
import { type Supervised, supervise } from '../../cli/supervise.js'
import { isAlive } from '../support/is-alive.js'
import { recordingLogger } from '../support/recording-logger.js'
import { until } from '../support/until.js'

const child = fileURLToPath(new URL('../support/child-under-supervision.js', import.meta.url))
let supervised: Supervised

function start(behaviour: string, args: readonly string[] = []) {
  const logger = recordingLogger()
  supervised = supervise({
    name: 'child',
    args: [child, behaviour, ...args],
    env: process.env,
    heartbeatTimeoutMs: 500,
    startTimeoutMs: 10_000,
    stopTimeoutMs: 500,
    logger,
  })
  const said = (message: string): number => logger.lines.filter((line) => line.message.includes(message)).length
  return { said }
}

afterEach(() => supervised.stop())

it('restarts a child that crashed', async () => {
  const { said } = start('crash')
  await until(() => said('process ended, restarting') >= 2, 'two restarts')
})

it('kills and restarts a child that hangs', async () => {
  const { said } = start('hang')
  const { pid } = supervised
  await until(() => said('misses its heartbeats') >= 1 && supervised.pid !== pid, 'a replacement')
  expect(isAlive(Number(pid))).toBe(false)
})

it('leaves a child alone that beats, and ends it when asked', async () => {
  const { said } = start('well')
  await supervised.stop()
  expect(said('misses its heartbeats')).toBe(0)
  expect(isAlive(Number(supervised.pid))).toBe(false)
})

it('kills a child that does not stop when asked', async () => {
  const { said } = start('stubborn')
  await supervised.stop()
  expect(said('did not stop in time')).toBe(1)
  expect(isAlive(Number(supervised.pid))).toBe(false)
})

it('goes on trying when the system refuses to start a process', async () => {
  // Longer than the system takes as one argument.
  const { said } = start('well', ['x'.repeat(200_000)])
  await until(() => said('process did not start') >= 2, 'two attempts')
})
