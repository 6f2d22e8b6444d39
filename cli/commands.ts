import { parseArgs } from 'node:util'
import type { Config } from '../config.js'
import { InvalidInput } from '../events/errors.js'

/** What a command is given: the validated settings, its own options, and where to write. */
export interface CommandContext {
  readonly config: Config
  readonly options: Readonly<Record<string, string | boolean | undefined>>
  readonly positionals: readonly string[]
  readonly print: (line: string) => void
}

export interface Command {
  readonly name: string
  readonly summary: string
  readonly options?: Readonly<Record<string, { readonly type: 'string' | 'boolean'; readonly doc: string }>>
  /** Help of a command that reads its arguments itself; it gets them all as positionals. */
  readonly ownHelp?: string
  /** Resolves with the exit code when the command has ended. */
  readonly run: (context: CommandContext) => Promise<number>
}

/** Help of one command, or of all. */
export function helpText(commands: readonly Command[], command?: Command): string {
  if (command === undefined) {
    const width = Math.max(...commands.map(({ name }) => name.length))
    const lines = commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`)
    return ['Usage: benchlog <command> [options]', '', ...lines, '', 'benchlog <command> --help tells more.'].join('\n')
  }
  if (command.ownHelp !== undefined) return [command.ownHelp, '', command.summary].join('\n')
  const options = Object.entries({ ...command.options, help: { type: 'boolean', doc: 'Show this text.' } })
  const lines = options.map(([name, { type, doc }]) => {
    const flag = type === 'boolean' ? `--${name}` : `--${name} <value>`
    return `  ${flag.padEnd(26)}${doc}`
  })
  return [`Usage: benchlog ${command.name} [options]`, '', command.summary, '', ...lines].join('\n')
}

/** Splits a command line. Without a command it is `start`.
 * @throws InvalidInput for an unknown command or option. */
export function parseCommandLine(commands: readonly Command[], argv: readonly string[]) {
  const [first = 'start', ...rest] = argv[0]?.startsWith('-') === true ? ['start', ...argv] : argv
  if (first === 'help' || argv[0] === '--help' || argv[0] === '-h') return { help: helpText(commands) }
  const command = commands.find(({ name }) => name === first)
  if (command === undefined) {
    throw new InvalidInput(`There is no command '${first}'.\n\n${helpText(commands)}`, {}, 'cli.unknown_command')
  }
  if (command.ownHelp !== undefined) {
    if (rest.length === 0 || rest.includes('--help') || rest.includes('-h'))
      return { help: helpText(commands, command) }
    return { command, options: {}, positionals: rest }
  }
  const declared = Object.fromEntries(Object.entries(command.options ?? {}).map(([name, { type }]) => [name, { type }]))
  try {
    const { values } = parseArgs({
      args: rest,
      options: { ...declared, help: { type: 'boolean', short: 'h' } },
    })
    if (values['help'] === true) return { help: helpText(commands, command) }
    return { command, options: values as Readonly<Record<string, string | boolean | undefined>>, positionals: [] }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new InvalidInput(`${reason}\n\n${helpText(commands, command)}`, { cause }, 'cli.invalid_option')
  }
}
