import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { createLabHome } from '../test/support/start-lab.js'
import { describeLoad } from './machine.js'
import type { Print, Scenario } from './scenario.js'
import { renderTable, verdict } from './table.js'

const FLOOR_MIB = 200
/** What start-up leaves behind is collected by then. */
const SETTLE_MS = 15_000

interface ProcessMemory {
  readonly name: string
  readonly mebibytes: number
  /** Runs only where the hardware is simulated. */
  readonly simulation: boolean
}

/** What a unit keeps resident while it does nothing: shared pages are counted once, by the share of each process (PSS; Linux). */
export const memoryScenario: Scenario = {
  name: 'memory',
  summary: 'resident memory of an idle unit, MiB (proportional set size)',
  async run(print: Print) {
    const lab = createLabHome()
    try {
      const { main, home } = await lab.start({ LOG_LEVEL: 'silent' })
      await delay(SETTLE_MS)
      const processes = await processesOf(Number(main.pid), home)
      const total = sum(processes)
      const real = sum(processes.filter(({ simulation }) => !simulation))
      const rows = [
        ...processes.map((process) => [process.name, process.mebibytes]),
        ['total', total],
        ['total without the simulated bench', real],
      ] as const
      print(
        renderTable(
          ['', 'MiB', 'share'],
          rows.map(([name, mebibytes]) => [
            String(name),
            Number(mebibytes).toFixed(1),
            `${((100 * Number(mebibytes)) / total).toFixed(0)} %`,
          ]),
        ),
      )
      print(verdict(real < FLOOR_MIB, `below ${FLOOR_MIB} MiB on real hardware`, `${real.toFixed(0)} MiB`))
      print(describeLoad())
    } finally {
      await lab.remove()
    }
  },
}

const sum = (processes: readonly ProcessMemory[]): number =>
  processes.reduce((total, { mebibytes }) => total + mebibytes, 0)

/** Main and its descendants; the simulated bench may have left the family, so it is found by its directory. */
async function processesOf(main: number, home: string): Promise<readonly ProcessMemory[]> {
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
  if (command.startsWith('/bin/sh')) return { name: 'guardian', simulation: false }
  return { name: command.trim().split(' ').at(-1) ?? command, simulation: false }
}

async function pss(pid: number): Promise<number> {
  const rollup = await readFile(`/proc/${pid}/smaps_rollup`, 'utf8')
  return Number(/^Pss:\s+(\d+) kB/m.exec(rollup)?.[1]) / 1024
}
