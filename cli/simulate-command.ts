import {
  parseSimulatePotentiostat,
  simulatePotentiostat,
  simulatePotentiostatUsage,
} from '../simulation/potentiostat/simulate-potentiostat.js'
import { type Command, InvalidOption } from './commands.js'
import { openClock } from './home.js'
import { endRequested } from './signals.js'

export const simulateCommand: Command = {
  ownHelp: simulatePotentiostatUsage,
  async run({ config, positionals, print }) {
    const [what, ...args] = positionals
    if (what !== 'potentiostat') {
      throw new InvalidOption(`simulate knows 'potentiostat', not '${what ?? ''}'.`)
    }
    const options = parseSimulatePotentiostat(args)
    const end = endRequested()
    const server = await simulatePotentiostat(options, openClock(config))
    print(`A virtual potentiostat answers on ${options.link}. Ctrl-C ends it.`)
    await end
    await server.stop()
    return 0
  },
}
