import { setTimeout as delay } from 'node:timers/promises'
import { memoryOf, type ProcessMemory } from '../test/support/process-memory.js'
import { createLabHome } from '../test/support/start-lab.js'
import { describeLoad } from './machine.js'
import type { Print, Scenario } from './scenario.js'
import { renderTable, verdict } from './table.js'

const FLOOR_MIB = 200
/** What start-up leaves behind is collected by then. */
const SETTLE_MS = 15_000

/** What a unit keeps resident while it does nothing: shared pages are counted once, by the share of each process (PSS; Linux). */
export const memoryScenario: Scenario = {
  name: 'memory',
  summary: 'resident memory of an idle unit, MiB (proportional set size)',
  async run(print: Print) {
    const lab = createLabHome()
    try {
      const { main, home } = await lab.start({ LOG_LEVEL: 'silent' })
      await delay(SETTLE_MS)
      const processes = await memoryOf(Number(main.pid), home)
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
