import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'

/** What went to one file. */
export interface FileWrites {
  readonly bytes: number
  readonly syncs: number
}

/** By name of the file; the write-ahead log of a database counts as the database. */
export type Writes = ReadonlyMap<string, FileWrites>

const CALL = /(pwrite64|fsync|fdatasync)\(\d+<([^>]+)>(?:, ""(?:\.\.\.)?, (\d+))?/

/** Counts the write calls and fsyncs of a process, all threads of it, while the work goes on. SQLite writes files with `pwrite64` alone.
 * @returns null where strace is not installed or may not attach */
export async function traceWrites(pid: number, work: () => Promise<void>): Promise<Writes | null> {
  const directory = mkdtempSync(join(tmpdir(), 'benchlog-strace-'))
  const output = join(directory, 'calls')
  const strace = spawn(
    'strace',
    ['-f', '-y', '-s', '0', '-e', 'trace=pwrite64,fsync,fdatasync', '-o', output, '-p', String(pid)],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  const failed = Promise.race([once(strace, 'error'), once(strace, 'exit')]).then(() => false)
  try {
    if (
      !(await Promise.race([failed, once(strace.stderr, 'data').then((text) => String(text).includes('attached'))]))
    ) {
      return null
    }
    await work()
    strace.kill('SIGINT')
    await once(strace, 'exit')
    return countCalls(readFileSync(output, 'utf8'))
  } finally {
    strace.kill()
    rmSync(directory, { recursive: true, force: true })
  }
}

function countCalls(trace: string): Writes {
  const writes = new Map<string, FileWrites>()
  for (const line of trace.split('\n')) {
    const [, call, path, bytes = '0'] = CALL.exec(line) ?? []
    if (call === undefined || path === undefined) continue
    const name = basename(path).replace(/-(wal|shm|journal)$/, '')
    const before = writes.get(name) ?? { bytes: 0, syncs: 0 }
    const isSync = call !== 'pwrite64'
    writes.set(name, { bytes: before.bytes + Number(bytes), syncs: before.syncs + (isSync ? 1 : 0) })
  }
  return writes
}
