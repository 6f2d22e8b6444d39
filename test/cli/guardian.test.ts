import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { isAlive } from '../support/is-alive.js'
import { until } from '../support/until.js'

const entry = fileURLToPath(new URL('../support/ward.js', import.meta.url))
let directory: string
let ward: ChildProcess

const mark = (): string => join(directory, 'made-safe')

/** Resolves with the process id of the guardian. */
async function startWard(then = ''): Promise<number> {
  ward = spawn(process.execPath, [entry, mark(), then], { detached: true, stdio: ['ignore', 'pipe', 'inherit'] })
  if (ward.stdout === null) throw new Error('no output')
  const [line] = (await once(ward.stdout, 'data')) as [Buffer]
  return Number(line.toString())
}

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'guardian-'))
})
afterEach(() => {
  ward.kill('SIGKILL')
  rmSync(directory, { recursive: true, force: true })
})

it('acts when the whole process group of its ward is killed', async () => {
  await startWard()
  process.kill(-Number(ward.pid), 'SIGKILL')
  await until(() => existsSync(mark()), 'the guardian to act')
})

it('is replaced when it is killed first', async () => {
  const first = await startWard()
  process.kill(first, 'SIGKILL')
  await once(ward.stdout as Readable, 'data')
  process.kill(-Number(ward.pid), 'SIGKILL')
  await until(() => existsSync(mark()), 'the next guardian to act')
})

it('does not act once it is dismissed', async () => {
  const guardian = await startWard('dismiss')
  await until(() => !isAlive(guardian), 'the guardian to leave')
  process.kill(-Number(ward.pid), 'SIGKILL')
  await once(ward, 'exit')
  expect(existsSync(mark())).toBe(false)
})
