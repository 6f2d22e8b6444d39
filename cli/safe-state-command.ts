import { driveOutputsSafe } from '../services/safe-state.js'
import { isBenchAlive } from '../simulation/connect-bench.js'
import type { Command } from './commands.js'
import { benchDirectory, openHardware } from './open-hardware.js'

export const safeStateCommand: Command = {
  name: 'safe-state',
  summary: 'Switch off heater, pumps, LEDs and stirrer and open every cell switch. Needs no broker, log or database.',
  async run({ config, print }) {
    if (config.hardware === 'simulated' && !(await isBenchAlive(benchDirectory(config)))) {
      print('No simulated bench is running: nothing to switch off.')
      return 0
    }
    const hardware = await openHardware(config)
    try {
      const report = await driveOutputsSafe(hardware)
      for (const { output, error } of report.steps)
        print(error === null ? `${output}: off` : `${output}: FAILED, ${error}`)
      return report.ok ? 0 : 1
    } finally {
      await hardware.close()
    }
  },
}
