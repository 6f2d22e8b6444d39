import { dirname } from 'node:path'
import { InvalidInput } from '../events/errors.js'
import { createLogger } from '../logger.js'
import { createBenchPotentiostats } from '../simulation/potentiostat/bench-potentiostats.js'
import { type BenchDevice, startBench } from '../simulation/start-bench.js'
import type { Command, CommandContext } from './commands.js'
import { makeHome, openClock } from './home.js'
import { benchDirectory } from './open-hardware.js'
import { endRequested } from './signals.js'

export const simulateCommand: Command = {
  name: 'simulate',
  usage: 'bench|potentiostat',
  summary: 'Run simulated hardware: the bench of this unit, or one potentiostat that any Modbus client can use.',
  options: {
    pty: { type: 'string', doc: 'Path of the pseudo-terminal to serve a potentiostat on.' },
    cell: { type: 'string', doc: 'Cell model: randles, resistor, rc or open.' },
    serial: { type: 'string', doc: 'Serial number of the potentiostat, 12 hex digits.' },
    fault: { type: 'string', doc: 'Fault to inject, name=value.' },
    'pid-pushes-pairs': { type: 'boolean', doc: 'Push sample pairs in galvanostatic mode too.' },
  },
  run(context) {
    const [what] = context.positionals
    if (what === 'bench') return runBench(context)
    if (what === 'potentiostat') return runPotentiostat(context)
    throw new InvalidInput(`simulate needs 'bench' or 'potentiostat', not '${what ?? ''}'.`, {}, 'cli.invalid_option')
  },
}

/** Like a real bench it does not care about a Ctrl-C meant for the software: it ends when told, or when nobody has used it for a minute. */
async function runBench({ config }: CommandContext): Promise<number> {
  makeHome(config)
  void endRequested()
  const potentiostats: BenchDevice = ({ serialDirectory, clock, logger, onCellSwitch }) =>
    createBenchPotentiostats({
      directory: dirname(serialDirectory),
      count: config.simulatedPotentiostats,
      seed: config.simulationSeed,
      clock,
      logger,
      onCellSwitch,
    })
  const bench = await startBench({
    directory: benchDirectory(config),
    seed: config.simulationSeed,
    clock: openClock(config),
    logger: createLogger(config.logLevel, 'bench'),
    devices: [potentiostats],
  })
  await bench.ended
  return 0
}
