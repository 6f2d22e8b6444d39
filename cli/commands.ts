import { parseArgs } from 'node:util'
import type { Config, OutputsConfig } from '../config.js'
import { defineError } from '../events/core/errors.js'

const UnknownCommand = defineError('cli.unknown_command', 'input', 'The command line names no command.')
export const InvalidOption = defineError(
  'cli.invalid_option',
  'input',
  'The command takes no such option, value or word.',
)

/** What a command is given: the validated settings, its own options, and where to write. */
export interface CommandContext {
  /** What safe-state needs; known whatever else is wrong. */
  readonly outputs: OutputsConfig
  /** Read when it is asked for. @throws InvalidInput with every problem */
  readonly config: Config
  readonly options: Readonly<Record<string, string | boolean | undefined>>
  readonly positionals: readonly string[]
  readonly print: (line: string) => void
}

export interface Command {
  readonly options?: Readonly<Record<string, { readonly type: 'string' | 'boolean'; readonly doc: string }>>
  /** Help of a command that reads its arguments itself; it gets them all as positionals. */
  readonly ownHelp?: string
  /** Resolves with the exit code when the command has ended. */
  readonly run: (context: CommandContext) => Promise<number>
}

/** A command by name. Its code is loaded only when it is needed: safe-state must not wait for a web server to be read from disk. */
export interface CommandEntry {
  readonly name: string
  readonly summary: string
  readonly load: () => Promise<Command>
}

/** Help about all commands. */
export function overview(commands: readonly CommandEntry[]): string {
  const width = Math.max(...commands.map(({ name }) => name.length))
  const lines = commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`)
  return [
    'Usage: benchlog <command> [options]',
    '',
    ...lines,
    '',
    'For more: benchlog <command> --help. Settings are environment variables: docs/settings.md.',
  ].join('\n')
}

/** Help about one command. */
function helpText({ name, summary }: CommandEntry, command: Command): string {
  if (command.ownHelp !== undefined) return [command.ownHelp, '', summary].join('\n')
  const options = Object.entries({ ...command.options, help: { type: 'boolean', doc: 'Show this text.' } })
  const lines = options.map(([option, { type, doc }]) => {
    const flag = type === 'boolean' ? `--${option}` : `--${option} <value>`
    return `  ${flag.padEnd(26)}${doc}`
  })
  return [`Usage: benchlog ${name} [options]`, '', summary, '', ...lines].join('\n')
}

export type ParsedCommandLine =
  | { readonly help: string }
  | { readonly command: Command; readonly options: CommandContext['options']; readonly positionals: readonly string[] }

/** Splits a command line and loads the command. Without a command it is `start`.
 * @throws InvalidInput for an unknown command or option. */
export async function parseCommandLine(
  entries: readonly CommandEntry[],
  argv: readonly string[],
): Promise<ParsedCommandLine> {
  if (argv[0] === 'help' || argv[0] === '--help' || argv[0] === '-h') return { help: overview(entries) }
  const [first = 'start', ...rest] = argv[0]?.startsWith('-') === true ? ['start', ...argv] : argv
  const entry = entries.find(({ name }) => name === first)
  if (entry === undefined) {
    throw new UnknownCommand(`There is no command '${first}'.\n\n${overview(entries)}`)
  }
  const command = await entry.load()
  if (command.ownHelp !== undefined) {
    const asksHelp = rest.length === 0 || rest.includes('--help') || rest.includes('-h')
    return asksHelp ? { help: helpText(entry, command) } : { command, options: {}, positionals: rest }
  }
  const declared = Object.fromEntries(Object.entries(command.options ?? {}).map(([name, { type }]) => [name, { type }]))
  try {
    const { values } = parseArgs({ args: rest, options: { ...declared, help: { type: 'boolean', short: 'h' } } })
    if (values['help'] === true) return { help: helpText(entry, command) }
    return { command, options: values as CommandContext['options'], positionals: [] }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new InvalidOption(`${reason}\n\n${helpText(entry, command)}`, { cause })
  }
}
