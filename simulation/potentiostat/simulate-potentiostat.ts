import { parseArgs } from 'node:util'
import { InvalidInput } from '../../events/core/errors.js'
import type { Clock } from '../../events/ports.js'
import { type CellName, cells } from './cell-models.js'
import type { Faults } from './faults.js'
import { serialOfIndex } from './serial-numbers.js'
import { type PtyServer, servePty } from './serve-pty.js'

export const simulatePotentiostatUsage = `Usage: benchlog simulate potentiostat --pty <path> [options]
  --pty <path>            where the serial port appears
  --cell <name>           ${Object.keys(cells).join(', ')} (default randles)
  --serial <12 hex>       USB serial number (default ${serialOfIndex(0)})
  --seed <integer>        seed of the noise (default 1)
  --pid-pushes-pairs      push pairs in galvanostatic runs too, as pyBEEP needs
  --fault <name=value>    may be repeated; see docs/virtual-potentiostat.md`

export interface SimulatePotentiostatOptions {
  readonly link: string
  readonly cell: CellName
  readonly serial: string
  readonly seed: number
  readonly pidPushesPairs: boolean
  readonly faults: Faults
}

const SERIAL = /^[0-9A-F]{12}$/

/** Kind of value each fault takes. */
const faultKinds: { readonly [F in keyof Required<Faults>]: 'count' | 'switch' } = {
  dropEvery: 'count',
  corruptEvery: 'count',
  delayEvery: 'count',
  cutEvery: 'count',
  stuckAfter: 'count',
  replugAfter: 'count',
  haltAfter: 'count',
  leftoverPoints: 'count',
  stopLatched: 'switch',
  startsRunning: 'switch',
}

/** Options of the command line. @throws InvalidInput */
export function parseSimulatePotentiostat(args: readonly string[]): SimulatePotentiostatOptions {
  const { pty, cell, serial, seed, fault, ...rest } = parse(args)
  if (pty === undefined) throw new InvalidInput('--pty is missing: the path where the serial port appears.')
  if (!isCell(cell)) throw new InvalidInput(`--cell is '${cell}'; it must be one of ${Object.keys(cells).join(', ')}.`)
  if (!SERIAL.test(serial)) throw new InvalidInput(`--serial is '${serial}'; it must be 12 upper-case hex digits.`)
  return {
    link: pty,
    cell,
    serial,
    seed: wholeNumber('--seed', seed),
    pidPushesPairs: rest['pid-pushes-pairs'],
    faults: Object.fromEntries(fault.map(parseFault)),
  }
}

/** Serves one virtual potentiostat on a pseudo-terminal until stopped. @throws NoPty */
export const simulatePotentiostat = (options: SimulatePotentiostatOptions, clock: Clock): Promise<PtyServer> =>
  servePty({ ...options, cell: cells[options.cell], clock })

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        pty: { type: 'string' },
        cell: { type: 'string', default: 'randles' },
        serial: { type: 'string', default: serialOfIndex(0) },
        seed: { type: 'string', default: '1' },
        'pid-pushes-pairs': { type: 'boolean', default: false },
        fault: { type: 'string', multiple: true, default: [] },
      },
    }).values
  } catch (error) {
    throw new InvalidInput(error instanceof Error ? error.message : String(error), { cause: error })
  }
}

const isCell = (name: string): name is CellName => Object.hasOwn(cells, name)

const isFault = (name: string): name is keyof Faults => Object.hasOwn(faultKinds, name)

function parseFault(text: string): [keyof Faults, number | boolean] {
  const [name = '', value = ''] = text.split('=')
  if (!isFault(name)) {
    throw new InvalidInput(`--fault names '${name}'; it must be one of ${Object.keys(faultKinds).join(', ')}.`)
  }
  if (faultKinds[name] === 'count') return [name, wholeNumber(`--fault ${name}`, value)]
  if (value !== 'true' && value !== 'false') {
    throw new InvalidInput(`--fault ${name} is '${value}'; it must be true or false.`)
  }
  return [name, value === 'true']
}

function wholeNumber(name: string, text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidInput(`${name} is '${text}'; it must be a whole number from 0.`)
  return Number(text)
}
