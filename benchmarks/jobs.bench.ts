import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { residentMebibytes } from '../test/support/process-memory.js'
import { createLabHome } from '../test/support/start-lab.js'
import { startUnitCulture } from '../test/support/unit-culture.js'
import { describeLoad } from './machine.js'
import type { Print, Scenario } from './scenario.js'
import { renderTable, verdict } from './table.js'

const FLOOR_MIB = 120
const FLOOR_PERCENT = 15
/** Statistics of the growth rate, the first doses, and what a start leaves behind. */
const SETTLE_MS = 30_000
const MEASURE_MS = 60_000
/** Below the inoculum, so that it doses at every reading that allows it. */
const TARGET_OD = 0.15
/** Of the kernel's accounts (`getconf CLK_TCK`). */
const TICKS_PER_S = 100

/** What the services process needs with every job of a culture at work, at the speed of time. */
export const jobsScenario: Scenario = {
  name: 'jobs',
  summary: 'the services process with every job of a turbidostat at speed 1: memory, share of a core',
  async run(print: Print) {
    const home = createLabHome()
    try {
      const lab = await home.start({ LOG_LEVEL: 'silent', SIMULATED_POTENTIOSTATS: '0' })
      await startUnitCulture(lab, 'benchmark', TARGET_OD)
      await delay(SETTLE_MS)
      const pids = { services: lab.servicesPid(), 'main (broker, log, projections, gateway)': lab.mainPid() }
      const before = Object.values(pids).map(processorSeconds)
      await delay(MEASURE_MS)
      const rows = Object.entries(pids).map(([name, pid], index) => ({
        name,
        mebibytes: residentMebibytes(pid),
        percent: (100_000 * (processorSeconds(pid) - (before[index] ?? 0))) / MEASURE_MS,
      }))
      print(
        renderTable(
          ['', 'RSS, MiB', 'of one core'],
          rows.map(({ name, mebibytes, percent }) => [name, mebibytes.toFixed(0), `${percent.toFixed(1)} %`]),
        ),
      )
      const { mebibytes = 0, percent = 0 } = rows[0] ?? {}
      print(verdict(mebibytes < FLOOR_MIB, `services below ${FLOOR_MIB} MiB`, `${mebibytes.toFixed(0)} MiB`))
      print(verdict(percent < FLOOR_PERCENT, `services below ${FLOOR_PERCENT} % of a core`, `${percent.toFixed(1)} %`))
      print(describeLoad())
    } finally {
      await home.remove()
    }
  },
}

/** In user and kernel, all threads. */
function processorSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S
}
