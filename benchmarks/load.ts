import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Flood } from './flood.js'
import type { Answer, Order, Result } from './load-process.js'
import type { Latencies, Paced } from './paced.js'
import type { PacedFsync } from './paced-fsync.js'
import type { Latency } from './quantiles.js'
import type { ReadFigures, Reads } from './read-load.js'

export interface Load {
  /** @returns acknowledged messages per second */
  flood(options: Flood): Promise<number>
  paced(options: Paced): Promise<Latencies>
  fsync(options: PacedFsync): Promise<Latency>
  reads(options: Reads): Promise<ReadFigures>
  stop(): Promise<void>
}

/** Starts the load generator. */
export function startLoad(): Load {
  const child = fork(fileURLToPath(new URL('./load-process.js', import.meta.url)))
  return {
    flood: (options) => ask(child, { kind: 'flood', ...options }) as Promise<number>,
    paced: (options) => ask(child, { kind: 'paced', ...options }) as Promise<Latencies>,
    fsync: (options) => ask(child, { kind: 'fsync', ...options }) as Promise<Latency>,
    reads: (options) => ask(child, { kind: 'reads', ...options }) as Promise<ReadFigures>,
    stop: () => endChild(child),
  }
}

async function ask(child: ChildProcess, order: Order): Promise<Result> {
  const ended = new AbortController()
  const answered = once(child, 'message', { signal: ended.signal })
  const exited = (): void => ended.abort(new Error('the load generator ended'))
  child.once('exit', exited)
  child.send(order)
  const [answer] = (await answered) as [Answer]
  child.off('exit', exited)
  if ('error' in answer) throw new Error(answer.error)
  return answer.result
}

/** Kills a child and waits until it is gone. */
export async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}
