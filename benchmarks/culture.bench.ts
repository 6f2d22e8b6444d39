import { performance } from 'node:perf_hooks'
import { startCulture } from '../test/support/culture.js'
import { describeLoad } from './machine.js'
import type { Print, Scenario } from './scenario.js'
import { formatCount, renderTable, verdict } from './table.js'

const HOURS = 48
/** Two days in 40 s. */
const FLOOR = 4320
/** In one piece the event loop, and with it the terminal, would stand still. */
const PIECE_MS = 600_000

/** How much faster than time a whole culture passes in one process: jobs, drivers and vial, a bus in memory and no disk. */
export const cultureScenario: Scenario = {
  name: 'culture',
  summary: `${HOURS} virtual hours of a turbidostat with every job of a unit in one process: virtual over real time`,
  async run(print: Print) {
    const dosing = {
      automation_name: 'turbidostat',
      target_biomass: 0.5,
      exchange_volume_ml: 0.5,
      biomass_signal: 'od',
    }
    const lab = await startCulture({ inoculum: { od: 0.5 }, dosing })
    const startMs = performance.now()
    for (let ms = 0; ms < HOURS * 3_600_000; ms += PIECE_MS) await lab.clock.advance(PIECE_MS)
    const seconds = (performance.now() - startMs) / 1000
    const messages = lab.broker.published.length
    await lab.end()
    const rate = (HOURS * 3600) / seconds
    print(
      renderTable(
        ['', 'real s', 'virtual s/s', 'messages'],
        [[`${HOURS} h, everything running`, seconds.toFixed(1), formatCount(rate), formatCount(messages)]],
      ),
    )
    print(verdict(rate >= FLOOR, `at least ${formatCount(FLOOR)} times as fast as time`, formatCount(rate)))
    print(describeLoad())
  },
}
