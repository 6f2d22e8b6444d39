import { orderBench, parseStandard } from '../simulation/bench-control.js'
import { faultUsage, parseFault } from '../simulation/bioreactor/faults.js'
import {
  parseSimulatePotentiostat,
  simulatePotentiostat,
  simulatePotentiostatUsage,
} from '../simulation/potentiostat/simulate-potentiostat.js'
import { type Command, type CommandContext, InvalidOption } from './commands.js'
import { openClock } from './home.js'
import { benchDirectory } from './open-hardware.js'
import { endRequested } from './signals.js'

const usage = `Usage: benchlog simulate fault set <fault> [<where>]
       benchlog simulate fault clear [<fault> [<where>]]
       benchlog simulate fault list
       benchlog simulate vial
       benchlog simulate vial standard <od>
       benchlog simulate vial glass
       benchlog simulate vial reconnect
       benchlog simulate potentiostat --pty <path> [options]

fault puts faults into the bioreactor of the unit that runs in BENCHLOG_HOME with simulated hardware, and takes them out again, all of
them unless one is named. vial prints what is so in its vial, whatever the sensors say. For calibrations, standard puts a vial into the
holder whose content has this optical density and does not grow; glass leads the pumps from beakers of water into an empty measuring glass,
whose content stands in glass_ml, and reconnect leads them back to the vial.

Faults, and where they can be:
${faultUsage}

${simulatePotentiostatUsage}`

type Context = Pick<CommandContext, 'config' | 'print'>

/** By the word behind `simulate`. */
const simulations: Readonly<Record<string, (args: readonly string[], context: Context) => Promise<void>>> = {
  async fault([action = '', ...words], { config, print }) {
    const bench = benchDirectory(config)
    switch (action) {
      case 'set':
        parseFault(words)
        await orderBench(bench, ['fault', ...words].join(' '))
        return
      case 'clear':
        if (words.length > 0) parseFault(words)
        await orderBench(bench, ['mend', ...words].join(' '))
        return
      case 'list':
        for (const fault of (await orderBench(bench, 'faults')) as string[]) print(fault)
        return
      default:
        throw new InvalidOption(`simulate fault knows 'set', 'clear' and 'list', not '${action}'.`)
    }
  },

  async vial([action, ...words], { config, print }) {
    if (action !== undefined) return void (await orderBench(benchDirectory(config), vialOrder(action, words)))
    print(JSON.stringify(await orderBench(benchDirectory(config), 'truth'), null, 2))
  },

  async potentiostat(args, { config, print }) {
    const options = parseSimulatePotentiostat(args)
    const end = endRequested()
    const server = await simulatePotentiostat(options, openClock(config))
    print(`A virtual potentiostat answers on ${options.link}. Ctrl-C ends it.`)
    await end
    await server.stop()
  },
}

function vialOrder(action: string, [od]: readonly string[]): string {
  if (action === 'standard') return `standard ${parseStandard(od)}`
  if (action === 'glass' || action === 'reconnect') return action
  throw new InvalidOption(`simulate vial knows 'standard', 'glass' and 'reconnect', not '${action}'.`)
}

export const simulateCommand: Command = {
  ownHelp: usage,
  async run({ config, positionals, print }) {
    const [what = '', ...args] = positionals
    const simulation = Object.hasOwn(simulations, what) ? simulations[what] : undefined
    if (simulation === undefined) {
      throw new InvalidOption(`simulate knows '${Object.keys(simulations).join("', '")}', not '${what}'.`)
    }
    await simulation(args, { config, print })
    return 0
  },
}
