import { boardOptions } from '../services/bioreactor/board/board-settings.js'
import { checkHardware, type HardwareFinding } from '../services/bioreactor/board/check-hardware.js'
import { isBenchAlive } from '../simulation/bench-directory.js'
import { isHeld } from './claims.js'
import type { Command } from './commands.js'
import { openClock } from './home.js'
import { benchDirectory, openHardware } from './open-hardware.js'

export const checkHardwareCommand: Command = {
  options: { json: { type: 'boolean', doc: 'Print the findings as JSON.' } },
  async run({ config, options, print }) {
    if (config.hardware === 'simulated' && !(await isBenchAlive(benchDirectory(config)))) {
      print(
        'No simulated bench is running: start the unit, or set HARDWARE=real to check the hardware of this computer.',
      )
      return 1
    }
    const hardware = await openHardware(config)
    try {
      const board = boardOptions(config.instruments['bioreactor'] ?? {})
      const { dotPioreactor } = config
      const unitRuns = isHeld(config, 'services')
      const findings = await checkHardware(hardware, { dotPioreactor, unitRuns, ...board }, openClock(config))
      if (options['json'] === true) print(JSON.stringify(findings, null, 2))
      else for (const line of renderFindings(findings)) print(line)
      return findings.some(({ status }) => status === 'missing') ? 1 : 0
    } finally {
      await hardware.close()
    }
  },
}

function renderFindings(findings: readonly HardwareFinding[]): readonly string[] {
  const width = Math.max(...findings.map(({ part }) => part.length))
  const lines = findings.flatMap(({ part, expected, status, found, remediation }) => [
    `${status.padEnd(7)}  ${part.padEnd(width)}  ${expected}: ${found}`,
    ...(remediation === undefined ? [] : [`${' '.repeat(width + 11)}→ ${remediation}`]),
  ])
  const missing = findings.filter(({ status }) => status === 'missing').length
  return [...lines, '', missing === 0 ? 'Nothing is missing.' : `${missing} of ${findings.length} are missing.`]
}
