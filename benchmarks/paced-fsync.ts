import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { type Latency, latencyOf } from './quantiles.js'

export interface PacedFsync {
  readonly perSecond: number
  readonly seconds: number
}

/** Writes 4 KiB over the same place of a file and waits for an fsync, at a steady rate: the disk's part of a durable acknowledgement. A
 * slow disk gets fewer. */
export async function pacedFsync({ perSecond, seconds }: PacedFsync): Promise<Latency> {
  const directory = mkdtempSync(join(tmpdir(), 'benchlog-fsync-'))
  const file = openSync(join(directory, 'block'), 'w')
  const block = Buffer.alloc(4096, 1)
  const times: number[] = []
  try {
    const startMs = performance.now()
    for (let nowMs = startMs; nowMs < startMs + seconds * 1000; nowMs = performance.now()) {
      if (times.length < ((nowMs - startMs) * perSecond) / 1000) {
        writeSync(file, block, 0, block.length, 0)
        fsyncSync(file)
        times.push(performance.now() - nowMs)
      } else {
        await delay(1)
      }
    }
    return latencyOf(times)
  } finally {
    closeSync(file)
    rmSync(directory, { recursive: true, force: true })
  }
}
