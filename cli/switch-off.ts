import { createClock } from '../clock.js'
import type { Config } from '../config.js'
import { instruments } from '../instruments.js'
import { driveOutputsSafe, nothingToSwitchOff, type SafeStateReport } from '../services/runtime/safe-state.js'
import { keepResult, readResult, resultOf } from '../services/runtime/safe-state-result.js'
import { isBenchAlive } from '../simulation/bench-directory.js'
import { benchDirectory, openHardware } from './open-hardware.js'

/** Drives every output of the named hardware safe, prints what became of each and keeps it for the log. Resolves with the exit code. */
export async function switchOff(
  config: Pick<Config, 'hardware' | 'runDirectory'>,
  print: (line: string) => void,
): Promise<number> {
  if (config.hardware === 'simulated' && !(await isBenchAlive(benchDirectory(config)))) {
    print('No simulated bench is running: nothing to switch off.')
    keep(config, nothingToSwitchOff(instruments), print)
    return 0
  }
  const hardware = await openHardware(config)
  try {
    const report = await driveOutputsSafe(hardware, instruments)
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
  // It is removed before anything is switched on: the outputs have been off since then.
  if (report.safe && readResult(runDirectory)?.safe === true) return
  try {
    keepResult(runDirectory, resultOf(report, createClock().now().getTime()))
  } catch (error) {
    print(`What was switched off could not be kept for the log: ${String(error)}`)
  }
}
