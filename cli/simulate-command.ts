import { InvalidInput } from '../events/errors.js'
import { createLogger } from '../logger.js'
import type { Command } from './commands.js'
import { openClock } from './home.js'
import { endRequested } from './signals.js'

export const simulateCommand: Command = {
  name: 'simulate',
  usage: 'potentiostat',
  summary: 'Serve a simulated potentiostat on a pseudo-terminal, for any Modbus client.',
  options: {
    pty: { type: 'string', doc: 'Path of the pseudo-terminal to make.' },
    cell: { type: 'string', doc: 'Cell model: randles, resistor, rc or open.' },
    serial: { type: 'string', doc: 'Serial number, 12 hex digits.' },
    fault: { type: 'string', doc: 'Fault to inject, name=value.' },
    'pid-pushes-pairs': { type: 'boolean', doc: 'Push sample pairs in galvanostatic mode too.' },
  },
}
