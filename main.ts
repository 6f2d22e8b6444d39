#!/usr/bin/env node
import { type Command, parseCommandLine } from './cli/commands.js'
import { rebuildCommand, verifyCommand } from './cli/log-commands.js'
import { brokerCommand, gatewayCommand, projectionsCommand } from './cli/part-commands.js'
import { safeStateCommand } from './cli/safe-state-command.js'
import { servicesCommand } from './cli/services-command.js'
import { simulateCommand } from './cli/simulate-command.js'
import { startCommand } from './cli/start-command.js'
import { readConfig } from './config.js'
import { LabError } from './events/errors.js'

const commands: readonly Command[] = [
  startCommand,
  brokerCommand,
  servicesCommand,
  projectionsCommand,
  gatewayCommand,
  verifyCommand,
  rebuildCommand,
  safeStateCommand,
  simulateCommand,
]

const print = (line: string): void => {
  process.stdout.write(`${line}\n`)
}

async function main(argv: readonly string[]): Promise<number> {
  const parsed = parseCommandLine(commands, argv)
  if ('help' in parsed) {
    print(parsed.help)
    return 0
  }
  const { command, options, positionals } = parsed
  return command.run({ config: readConfig(process.env), options, positionals, print })
}

/** People get the message of an error they can mend; a defect shows its stack. */
function explain(error: unknown): string {
  if (!(error instanceof LabError)) return error instanceof Error ? (error.stack ?? error.message) : String(error)
  return error.remediation === undefined ? error.message : `${error.message}\n${error.remediation}`
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${explain(error)}\n`)
    process.exit(1)
  },
)
