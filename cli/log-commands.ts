import { openEventLogReader } from '../event-log/reader.js'
import { verifyLog } from '../event-log/verify.js'
import { type RebuildProgress, rebuildReadModels, rebuildRunFiles } from '../projections/rebuild.js'
import { claimHome } from './claims.js'
import type { Command } from './commands.js'
import { makeHome } from './home.js'

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
    // Without a log there is nothing to rebuild, and no directory to make.
    openEventLogReader(config.eventLogPath).close()
    makeHome(config)
    const release = claimHome(config, 'projections')
    try {
      const { eventLogPath, readModelsPath, runFilesStatePath, runsRoot } = config
      await rebuildReadModels({ eventLogPath, readModelsPath, onProgress: inTenths('read models', print) })
      if (options['runs'] === true) {
        const onProgress = inTenths('run files', print)
        await rebuildRunFiles({ eventLogPath, runFilesStatePath, runsRoot, onProgress })
      }
      print('Rebuilt.')
      return 0
    } finally {
      release()
    }
  },
}

/** One line per tenth of the way. */
function inTenths(what: string, print: (line: string) => void): (progress: RebuildProgress) => void {
  let shown = 0
  return ({ position, last }) => {
    const tenths = Math.trunc((10 * position) / last)
    if (tenths === shown) return
    shown = tenths
    print(`${what}: ${10 * tenths} % of ${last} events`)
  }
}
