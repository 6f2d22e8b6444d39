import type { Config } from '../config.js'
import { driveOutputsSafe } from '../services/safe-state.js'
import { isBenchAlive } from '../simulation/bench-directory.js'
import { benchDirectory, openHardware } from './open-hardware.js'

/** Drives every output of the named hardware safe and prints what became of each. Resolves with the exit code. */
export async function switchOff(
  config: Pick<Config, 'hardware' | 'runDirectory'>,
  print: (line: string) => void,
): Promise<number> {
  if (config.hardware === 'simulated' && !(await isBenchAlive(benchDirectory(config)))) {
    print('No simulated bench is running: nothing to switch off.')
    return 0
  }
  const hardware = await openHardware(config)
  try {
    const { safe, done, failed } = await driveOutputsSafe(hardware)
    for (const step of done) print(`${step}: off`)
    for (const { step, reason } of failed) print(`${step}: FAILED, ${reason}`)
    return safe ? 0 : 1
  } finally {
    await hardware.close()
  }
}
