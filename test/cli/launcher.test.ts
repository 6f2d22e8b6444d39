import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { temporaryDirectory } from '../support/temporary-directory.js'
import { until } from '../support/until.js'

let launcher: ChildProcess

/** Runs the launcher with a main of our own. Each start does what `first` says, leaves a line in a file, then does the rest. */
function launch(first: string, rest: string) {
  const directory = temporaryDirectory()
  const file = join(directory, 'starts')
  const starts = () => (existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : [])
  cpSync('bin/start', join(directory, 'bin', 'start'))
  mkdirSync(join(directory, 'dist'))
  writeFileSync(join(directory, 'package.json'), '{"type":"commonjs"}')
  writeFileSync(
    join(directory, 'dist', 'main.js'),
    `const { appendFileSync, readFileSync } = require('node:fs')
     const tell = (signal) => process.kill(process.env.BENCHLOG_LAUNCHER, signal)
     const isSafeState = process.argv[2] === 'safe-state'
     if (!isSafeState) { ${first} }
     appendFileSync('${file}', process.pid + ' ' + process.argv.slice(2) + '\\n')
     const starts = readFileSync('${file}', 'utf8').trim().split('\\n').length
     if (!isSafeState) { setInterval(() => undefined, 1000); ${rest} }`,
  )
  launcher = spawn('sh', [join(directory, 'bin', 'start'), '--option'], { detached: true, stdio: 'ignore' })
  return { ended: once(launcher, 'exit'), starts }
}

afterEach(() => {
  try {
    process.kill(-Number(launcher.pid), 'SIGKILL')
  } catch {
    // It has ended.
  }
})

it('starts a unit again that was ready and is killed, and leaves what ends by its own decision', async () => {
  const { ended, starts } = launch(
    `process.on('SIGTERM', () => { tell('SIGUSR2'); process.exit(1) })`,
    `tell('SIGUSR1'); if (starts === 1) process.kill(process.pid, 'SIGKILL')`,
  )
  await until(() => starts().length === 2, 'another start')
  expect(starts()[1]).toMatch(/^\d+ --option$/)
  process.kill(Number.parseInt(starts()[1] ?? '', 10), 'SIGTERM')
  expect(await ended).toEqual([1, null])
  expect(starts()).toHaveLength(2)
})

it('does not repeat a start that fails', async () => {
  const { ended, starts } = launch('', 'process.exit(3)')
  expect(await ended).toEqual([3, null])
  expect(starts()).toHaveLength(1)
})

it('gives up when a unit ends again and again, and drives the outputs safe', async () => {
  const { ended, starts } = launch('', `tell('SIGUSR1'); process.exit(7)`)
  expect(await ended).toEqual([7, null])
  expect(starts()).toHaveLength(7)
  expect(starts().at(-1)).toMatch(/ safe-state$/)
})

it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  'hands on %s and ends with the status of the unit',
  async (signal) => {
    const { ended, starts } = launch(`process.on('SIGTERM', () => process.exit(5))`, `tell('SIGUSR1')`)
    await until(() => starts().length === 1, 'a start')
    launcher.kill(signal)
    expect(await ended).toEqual([5, null])
    expect(starts()).toHaveLength(1)
  },
)
