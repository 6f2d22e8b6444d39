import { join } from 'node:path'
import { rebuildReadModels, rebuildRunFiles } from '../projections/rebuild.js'
import { createLabHome } from '../test/support/start-lab.js'
import { describeLoad } from './machine.js'
import type { Print, Scenario } from './scenario.js'
import { formatCount, renderTable, verdict } from './table.js'
import { writeUnitLog } from './unit-log.js'

/** About two months of one unit; with its read models some 4 GB. */
const EVENTS = 10_000_000
const FLOOR_S = 5

/** From the start of the process until the unit says that it is ready, with a long log whose read models are up to date. */
export const coldStartScenario: Scenario = {
  name: 'cold-start',
  summary: `seconds until a unit with ${formatCount(EVENTS)} events is ready`,
  async run(print: Print) {
    const empty = await secondsToStart(0)
    const full = await secondsToStart(EVENTS)
    const ratio = `${(full / empty).toFixed(2)} ×`
    print(
      renderTable(
        ['events', 's', 'ratio'],
        [
          ['none', empty.toFixed(2), '1.00 ×'],
          [formatCount(EVENTS), full.toFixed(2), ratio],
        ],
      ),
    )
    print(verdict(full < FLOOR_S, `ready within ${FLOOR_S} s`, `${full.toFixed(2)} s`))
    print(describeLoad())
  },
}

async function secondsToStart(events: number): Promise<number> {
  const lab = createLabHome()
  try {
    const eventLogPath = join(lab.home, 'event-log.db')
    writeUnitLog(eventLogPath, events)
    await rebuildReadModels({ eventLogPath, readModelsPath: join(lab.home, 'read-models.db') })
    await rebuildRunFiles({
      eventLogPath,
      runFilesStatePath: join(lab.home, 'run-files.db'),
      runsRoot: join(lab.home, 'runs'),
    })
    const startedMs = performance.now()
    const unit = await lab.start({ LOG_LEVEL: 'silent' })
    const seconds = (performance.now() - startedMs) / 1000
    await unit.interrupt()
    return seconds
  } finally {
    await lab.remove()
  }
}
