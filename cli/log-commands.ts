import { createClock } from '../clock.js'
import { openEventLogReader } from '../event-log/reader.js'
import { type RepairReport, repairLog } from '../event-log/repair.js'
import { verifyLog } from '../event-log/verify.js'
import { timestampOf } from '../events/core/timestamp.js'
import { removeDatabase } from '../projections/engine/database.js'
import { type RebuildProgress, rebuildReadModels, rebuildRunFiles } from '../projections/rebuild.js'
import { claimHome } from './claims.js'
import type { Command } from './commands.js'
import { makeHome } from './home.js'

export const verifyCommand: Command = {
  async run({ config, print }) {
    const report = verifyLog(config.eventLogPath)
    print(`${report.events} events, last position ${report.lastPosition}.`)
    print(`${report.links} links of the hash chain; the newest ${report.unlinked} events are not linked yet.`)
    for (const problem of report.problems) print(`PROBLEM: ${problem}`)
    print(report.ok ? 'The log is sound.' : 'The log is damaged: benchlog repair keeps what can be read of it.')
    return report.ok ? 0 : 1
  },
}

export const repairCommand: Command = {
  async run({ config, print }) {
    const { eventLogPath, readModelsPath, runFilesStatePath } = config
    const release = claimHome(config, 'broker', 'projections')
    try {
      const report = repairLog(eventLogPath, createClock().now())
      // They may know of events that are lost; a start makes them anew.
      for (const path of [readModelsPath, runFilesStatePath]) removeDatabase(path)
      for (const line of repairLines(report)) print(line)
      for (const problem of verifyLog(eventLogPath).problems) print(`REMAINS: ${problem}`)
      return 0
    } finally {
      release()
    }
  },
}

function repairLines({ kept, keptUntil, damage, lost, original }: RepairReport): readonly string[] {
  return [
    `Damage: ${damage}.`,
    `Kept: events 1 to ${kept}, the last of ${timestampOf(new Date(keptUntil))}.`,
    lost === null
      ? `Lost: what came after position ${kept}, if anything; the damaged file does not tell.`
      : `Lost: events ${kept + 1} to ${lost.last}${lost.until === null ? '' : `, recorded until ${timestampOf(new Date(lost.until))}`}.`,
    `The damaged log is kept as ${original}.`,
    `Position ${kept + 1} is given again. The next start folds the log anew, and writes the files of all runs anew.`,
  ]
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
