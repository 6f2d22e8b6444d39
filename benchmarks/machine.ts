import { closeSync, fsyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { cpus, loadavg, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { median } from './quantiles.js'

const FSYNCS = 200

/** Median time of writing 4 KiB to the disk of the temporary directory, ms: what one commit costs at least. */
export function measureFsyncMs(): number {
  const directory = mkdtempSync(join(tmpdir(), 'benchlog-fsync-'))
  const file = openSync(join(directory, 'blocks'), 'w')
  const block = Buffer.alloc(4096, 1)
  try {
    return median(
      Array.from({ length: FSYNCS }, () => {
        const startMs = performance.now()
        writeSync(file, block)
        fsyncSync(file)
        return performance.now() - startMs
      }),
    )
  } finally {
    closeSync(file)
    rmSync(directory, { recursive: true, force: true })
  }
}

/** Processor, memory, Node version, and time of an fsync: without them no figure means anything. */
export function describeMachine(): string {
  const [cpu] = cpus()
  const gibibytes = (totalmem() / 2 ** 30).toFixed(0)
  return [
    `${cpus().length} × ${cpu?.model ?? 'unknown processor'}, ${gibibytes} GiB, ${process.platform} ${process.arch}`,
    `Node ${process.version}; fsync of 4 KiB in ${tmpdir()}: p50 ${measureFsyncMs().toFixed(2)} ms`,
  ].join('\n')
}

/** Processes that wanted a processor in the last minute: above the number of processors, figures suffer from other work. */
export const describeLoad = (): string =>
  `load average ${loadavg()[0]?.toFixed(1) ?? '?'} on ${cpus().length} processors`
