import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { afterEach, describe, expect, it } from 'vitest'
import { isAlive } from '../support/is-alive.js'
import { temporaryDirectory } from '../support/temporary-directory.js'
import { until } from '../support/until.js'

const entry = fileURLToPath(new URL('../support/ward.js', import.meta.url))

/** Whether a process has told the kernel that SIGTERM is nothing to it. */
function ignoresTerm(pid: number): boolean {
  const [, mask = '0'] = /SigIgn:\s*([0-9a-f]+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return (BigInt(`0x${mask}`) & (1n << 14n)) !== 0n
}

describe.each(['perl', 'sh'])('a guardian in %s', (interpreter) => {
  let ward: ChildProcess
  let mark: string

  /** Resolves with the process id of the guardian. */
  async function startWard(then = ''): Promise<number> {
    mark = join(temporaryDirectory(), 'made-safe')
    ward = spawn(process.execPath, [entry, mark, then, interpreter], {
      detached: true,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    return nextGuardian()
  }

  async function nextGuardian(): Promise<number> {
    const [line] = (await once(ward.stdout as Readable, 'data')) as [Buffer]
    return Number(line.toString())
  }

  const killGroup = (): boolean => process.kill(-Number(ward.pid), 'SIGKILL')

  afterEach(() => {
    ward.kill('SIGKILL')
  })

  it('acts when the whole process group of its ward is killed', async () => {
    await startWard()
    killGroup()
    await until(() => existsSync(mark), 'the guardian to act')
  })

  it('is replaced when it is killed first', async () => {
    const first = await startWard()
    process.kill(first, 'SIGKILL')
    await nextGuardian()
    killGroup()
    await until(() => existsSync(mark), 'the next guardian to act')
  })

  it('does not act once it is dismissed', async () => {
    const guardian = await startWard('dismiss')
    await until(() => !isAlive(guardian), 'the guardian to leave')
    killGroup()
    await once(ward, 'exit')
    expect(existsSync(mark)).toBe(false)
  })

  it('ends a ward that is frozen, then acts', async () => {
    await startWard()
    ward.kill('SIGSTOP')
    await until(() => existsSync(mark), 'the guardian to act')
    await until(() => ward.signalCode === 'SIGKILL', 'the ward to be gone')
  })

  it('ends a ward whose event loop hangs, then acts', async () => {
    await startWard('hang')
    await until(() => existsSync(mark), 'the guardian to act')
    await until(() => ward.signalCode === 'SIGKILL', 'the ward to be gone')
  })

  it('leaves a ward alone that beats, whatever signals come', async () => {
    const guardian = await startWard()
    await until(() => ignoresTerm(guardian), 'the guardian to have read its script')
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGTSTP'] as const) process.kill(guardian, signal)
    // One that takes too few beats for a freeze acts within this time, which no event marks.
    await new Promise((resolve) => setTimeout(resolve, 4000))
    expect([existsSync(mark), isAlive(guardian), ward.signalCode]).toEqual([false, true, null])
  })
})
