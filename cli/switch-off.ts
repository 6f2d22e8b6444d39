import { createClock } from '../clock.js'
import type { Config } from '../config.js'
import { driveOutputsSafe, type SafeStateReport } from '../services/runtime/safe-state.js'
import { keepResult, resultOf } from '../services/runtime/safe-state-result.js'
import { isBenchAlive } from '../simulation/bench-directory.js'
import { benchDirectory, openHardware } from './open-hardware.js'

/** Without a bench nothing is on. */
const NO_BENCH: SafeStateReport = { safe: true, done: ['pwm', 'leds', 'potentiostats'], failed: [] }

/** Drives every output of the named hardware safe, prints what became of each and keeps it for the log. Resolves with the exit code. */
export async function switchOff(
  config: Pick<Config, 'hardware' | 'runDirectory'>,
  print: (line: string) => void,
): Promise<number> {
  if (config.hardware === 'simulated' && !(await isBenchAlive(benchDirectory(config)))) {
    print('No simulated bench is running: nothing to switch off.')
    keep(config, NO_BENCH, print)
    return 0
  }
  const hardware = await openHardware(config)
  try {
    const report = await driveOutputsSafe(hardware)
    keep(config, report, print)
    const { safe, done, failed } = report
    for (const step of done) print(`${step}: off`)
    for (const { step, reason } of failed) print(`${step}: FAILED, ${reason}`)
    return safe ? 0 : 1
  } finally {
    await hardware.close()
  }
}

/** The outputs are what counts: a full disk takes nothing from that. */
function keep(
  { runDirectory }: Pick<Config, 'runDirectory'>,
  report: SafeStateReport,
  print: (line: string) => void,
): void {
  try {
    keepResult(runDirectory, resultOf(report, createClock().now().getTime()))
  } catch (error) {
    print(`What was switched off could not be kept for the log: ${String(error)}`)
  }
}
