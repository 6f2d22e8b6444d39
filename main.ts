#!/usr/bin/env node
import { type CommandEntry, parseCommandLine } from './cli/commands.js'
import { createPrivateFiles } from './cli/private-files.js'
import { readConfig, readOutputsConfig } from './config.js'
import { LabError } from './events/core/errors.js'
import { LogDamaged } from './events/system/errors.js'

const commands: readonly CommandEntry[] = [
  {
    name: 'start',
    summary: 'Run a whole unit: broker, event log, services, read models and REST gateway. The default command.',
    load: async () => (await import('./cli/start-command.js')).startCommand,
  },
  {
    name: 'broker',
    summary: 'Run the broker and the event log alone.',
    load: async () => (await import('./cli/part-commands.js')).brokerCommand,
  },
  {
    name: 'services',
    summary: 'Run the services alone: the only process that touches hardware. Needs a running broker.',
    load: async () => (await import('./cli/services-command.js')).servicesCommand,
  },
  {
    name: 'projections',
    summary: 'Fold the log into the read models and write run files, alone.',
    load: async () => (await import('./cli/part-commands.js')).projectionsCommand,
  },
  {
    name: 'gateway',
    summary: 'Serve the REST APIs alone. Needs a running broker and projections.',
    load: async () => (await import('./cli/part-commands.js')).gatewayCommand,
  },
  {
    name: 'verify',
    summary: 'Check the event log: file integrity, positions without a gap, hash chain, retained values.',
    load: async () => (await import('./cli/log-commands.js')).verifyCommand,
  },
  {
    name: 'repair',
    summary: 'Keep what can be read of a damaged event log, up to the damage. The damaged file stays beside it.',
    load: async () => (await import('./cli/log-commands.js')).repairCommand,
  },
  {
    name: 'rebuild',
    summary: 'Fold the whole log again into new read models; with --runs also write all run files again.',
    load: async () => (await import('./cli/log-commands.js')).rebuildCommand,
  },
  {
    name: 'safe-state',
    summary: 'Switch off heater, pumps, LEDs and stirrer and open every cell switch. Needs no broker, log or database.',
    load: async () => (await import('./cli/safe-state-command.js')).safeStateCommand,
  },
  {
    name: 'check-hardware',
    summary:
      'Look for every chip, PWM channel and GPIO line of the unit, and say what is missing and what to do about it.',
    load: async () => (await import('./cli/check-hardware-command.js')).checkHardwareCommand,
  },
  {
    name: 'certificate',
    summary: 'Make a key and a self-signed certificate for TLS_CERT and TLS_KEY, where there is no authority.',
    load: async () => (await import('./cli/certificate-command.js')).certificateCommand,
  },
  {
    name: 'install',
    summary: 'Have systemd run the unit on real hardware from now on; --dry-run shows what that takes. Needs root.',
    load: async () => (await import('./cli/install/install-command.js')).installCommand,
  },
  {
    name: 'uninstall',
    summary: 'Take back what install wrote; data and settings are kept. Needs root.',
    load: async () => (await import('./cli/install/install-command.js')).uninstallCommand,
  },
  {
    name: 'simulate',
    summary:
      'Put faults into a simulated unit, look into its vial, or serve a virtual potentiostat on a pseudo-terminal.',
    load: async () => (await import('./cli/simulate-command.js')).simulateCommand,
  },
]

// Closing the terminal, or reading the first lines only, must not kill the unit.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined)

const print = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

async function main(argv: readonly string[]): Promise<number> {
  createPrivateFiles()
  const parsed = await parseCommandLine(commands, argv)
  if ('help' in parsed) {
    print(parsed.help)
    return 0
  }
  const { command, options, positionals } = parsed
  return command.run({
    outputs: readOutputsConfig(process.env),
    get config() {
      return readConfig(process.env)
    },
    options,
    positionals,
    print,
  })
}

/** People get the message of an error they can mend; a defect shows its stack. */
async function explain(error: unknown): Promise<string> {
  if (!(error instanceof LabError)) return error instanceof Error ? (error.stack ?? error.message) : String(error)
  const { message, remediation, details } = error
  const lines = [message]
  if (error instanceof LogDamaged) {
    const { whatIsIntact } = await import('./event-log/intact-part.js')
    lines.push(whatIsIntact(String(details['path'])))
  }
  if (remediation !== undefined) lines.push(remediation)
  return lines.join('\n')
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  async (error: unknown) => {
    process.stderr.write(`${await explain(error)}\n`)
    process.exit(1)
  },
)
