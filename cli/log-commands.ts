import { verifyLog } from '../event-log/verify.js'
import { type RebuildProgress, rebuildReadModels, rebuildRunFiles } from '../projections/rebuild.js'
import type { Command } from './commands.js'

export const verifyCommand: Command = {
  async run({ config, print }) {
    const report = verifyLog(config.eventLogPath)
    print(`${report.events} events, last position ${report.lastPosition}.`)
    for (const problem of report.problems) print(`PROBLEM: ${problem}`)
    print(report.ok ? 'The log is sound.' : 'The log is damaged.')
    return report.ok ? 0 : 1
  },
}

export const rebuildCommand: Command = {
  options: { runs: { type: 'boolean', doc: 'Write the files of all runs again, byte for byte.' } },
  async run({ config, options, print }) {
    const onProgress = ({ position, last }: RebuildProgress): void => print(`${position} of ${last} events folded`)
    await rebuildReadModels({ eventLogPath: config.eventLogPath, readModelsPath: config.readModelsPath, onProgress })
    if (options['runs'] === true) {
      await rebuildRunFiles({
        eventLogPath: config.eventLogPath,
        runFilesStatePath: config.runFilesStatePath,
        runsRoot: config.runsRoot,
        onProgress,
      })
    }
    print('Rebuilt.')
    return 0
  },
}
