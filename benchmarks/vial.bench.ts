import { performance } from 'node:perf_hooks'
import type { Clock } from '../events/ports.js'
import { VirtualBench } from '../simulation/virtual-bench.js'
import { describeLoad } from './machine.js'
import type { Print, Scenario } from './scenario.js'
import { formatCount, renderTable, verdict } from './table.js'

const DAY_S = 86_400
const DAYS = 2

/** Beyond what a test of two days needs by far. */
const FLOOR = 100_000

/** What a minute of a day with everything running asks of the bench: pumps and heater go on and off, the stirrer turns. */
const PERIOD_S = 200
const HEATED_S = 95
const DOSE_EVERY_S = 600
const DOSE_S = 5
const WASTE_S = 10
const READING_EVERY_S = 5
const SAMPLES_PER_READING = 40
const PROBE_READS = 6

const HALL_PIN = 21
const PHOTODIODES = [0x06, 0x07]

/** How much faster than time the virtual vial is, alone and with its sensors read and its edges counted as the jobs do. */
export const vialScenario: Scenario = {
  name: 'vial',
  summary: `${DAYS} virtual days of a virtual vial with everything on: virtual seconds per second`,
  async run(print: Print) {
    const rates = [
      { name: 'physics alone', rate: measure(() => undefined) },
      { name: 'sensors read over I2C, edges counted', rate: measure(readAsJobs) },
    ]
    print(
      renderTable(
        ['', 'virtual s/s'],
        rates.map(({ name, rate }) => [name, formatCount(rate)]),
      ),
    )
    const [alone] = rates
    print(
      verdict(
        (alone?.rate ?? 0) >= FLOOR,
        `physics alone at least ${formatCount(FLOOR)}`,
        formatCount(alone?.rate ?? 0),
      ),
    )
    print(describeLoad())
  },
}

interface Rig {
  readonly bench: VirtualBench
  setTime(seconds: number): void
}

function measure(look: (rig: Rig, second: number) => void): number {
  let nowMs = 0
  const clock: Clock = { now: () => new Date(nowMs), monotonicMs: () => nowMs, sleepUntil: async () => undefined }
  const bench = new VirtualBench({ clock, seed: 1 })
  const rig: Rig = {
    bench,
    setTime: (seconds) => {
      nowMs = seconds * 1000
    },
  }
  const pins = bench.wiring.pwm.pwm_to_pin
  const startMs = performance.now()
  bench.transact(bench.wiring.dac.address, Uint8Array.of(0, 204), 0)
  bench.setPwm(pins['1'], 30)
  for (let second = 0; second < DAYS * DAY_S; second += READING_EVERY_S) {
    rig.setTime(second)
    if (second % PERIOD_S === 0) bench.setPwm(pins['5'], 40)
    if (second % PERIOD_S === HEATED_S) bench.setPwm(pins['5'], 0)
    if (second % DOSE_EVERY_S === 0) bench.setPwm(pins['2'], 100)
    if (second % DOSE_EVERY_S === DOSE_S) bench.setPwm(pins['2'], 0)
    if (second % DOSE_EVERY_S === DOSE_S) bench.setPwm(pins['4'], 100)
    if (second % DOSE_EVERY_S === DOSE_S + WASTE_S) bench.setPwm(pins['4'], 0)
    look(rig, second)
  }
  void bench.truth
  return (DAYS * DAY_S) / ((performance.now() - startMs) / 1000)
}

function readAsJobs({ bench, setTime }: Rig, second: number): void {
  if (second === 0) bench.lines.watch(HALL_PIN, () => undefined)
  bench.reportEdges()
  const { temp, dac } = bench.wiring
  for (let sample = 0; sample < SAMPLES_PER_READING; sample++) {
    setTime(second + 0.02 * sample)
    for (const register of PHOTODIODES) bench.transact(dac.address, Uint8Array.of(register), 2)
  }
  if (second % PERIOD_S < HEATED_S) return
  for (let read = 0; read < PROBE_READS; read++) bench.transact(temp.address, Uint8Array.of(0), 2)
}
