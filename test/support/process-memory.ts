import { readFileSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'

/** Memory of one process of a unit (Linux). */
export interface ProcessMemory {
  readonly name: string
  /** Proportional set size, MiB: shared pages count by the share of each process. */
  readonly mebibytes: number
  /** Runs only where the hardware is simulated. */
  readonly simulation: boolean
}

/** Memory of main and its descendants. The simulated bench may have left the family, so it is found by its directory. */
export async function memoryOf(main: number, home: string): Promise<readonly ProcessMemory[]> {
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 0)
  const all = (await Promise.all(pids.map(readProcess))).filter((process) => process !== null)
  const family = new Set([main])
  for (let size = 0; size < family.size; ) {
    size = family.size
    for (const { pid, parent } of all) if (family.has(parent)) family.add(pid)
  }
  const ours = all.filter(({ pid, command }) => family.has(pid) || command.includes(`"${home}`))
  return Promise.all(
    ours.map(async ({ pid, command }) => ({ ...describe(pid, main, command), mebibytes: await pss(pid) })),
  )
}

async function readProcess(pid: number): Promise<{ pid: number; parent: number; command: string } | null> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])
    return { pid, parent, command: (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ') }
  } catch {
    // It ended while the list was read.
    return null
  }
}

function describe(pid: number, main: number, command: string): Pick<ProcessMemory, 'name' | 'simulation'> {
  if (pid === main) return { name: 'main (broker, log, projections, gateway)', simulation: false }
  if (command.includes('bench-process')) return { name: 'simulated bench', simulation: true }
  if (/^(perl|.bin.sh) /.test(command)) return { name: 'guardian', simulation: false }
  return { name: command.trim().split(' ').at(-1) ?? command, simulation: false }
}

async function pss(pid: number): Promise<number> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8')
  return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1]) / 1024
}

/** Resident memory of one process, MiB (Linux). */
export const residentMebibytes = (pid: number): number =>
  Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024
