import { spawn } from 'node:child_process'
import { mkdir, open } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineError } from '../events/core/errors.js'
import type { BenchOptions } from './virtual-bench.js'

export class BenchFailed extends defineError('simulation.failed', 'state', 'The simulated bench did not start.') {
  constructor(reason: string) {
    super(`The simulated bench did not start: ${reason}`)
  }
}

export interface BenchProcessOptions extends Omit<BenchOptions, 'clock'> {
  readonly directory: string
  /** Settings of the twins beside the HAT, by instrument; one that is not named is not there. */
  readonly twins?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
  /** Clock of the whole unit. */
  readonly speed?: number
  readonly epochMs?: number
  readonly idleMs?: number
  readonly logLevel?: string
}

/** Starts a bench in a process and session of its own, which lives on when this one dies. Its log is `bench.log` in the directory.
 * @returns Its process id, once it serves the directory.
 * @throws BenchFailed, also when a bench already runs there. */
export async function spawnBench(options: BenchProcessOptions, env = process.env): Promise<number> {
  await mkdir(options.directory, { recursive: true, mode: 0o700 })
  const log = await open(join(options.directory, 'bench.log'), 'a', 0o600)
  try {
    const entry = fileURLToPath(new URL('./bench-process.js', import.meta.url))
    const child = spawn(process.execPath, [entry, JSON.stringify(options)], {
      detached: true,
      env,
      stdio: ['ignore', log.fd, log.fd, 'ipc'],
    })
    const answer = await new Promise<unknown>((resolve) => {
      child.once('message', resolve)
      child.once('error', (error) => resolve(error.message))
      child.once('exit', (code, signal) => resolve(`it ended with ${signal ?? code}.`))
    })
    if (answer !== 'ready' || child.pid === undefined) throw new BenchFailed(String(answer))
    child.unref()
    return child.pid
  } finally {
    await log.close()
  }
}
