import { spawnSync } from 'node:child_process'
import { defineError } from '../../events/core/errors.js'
import type { Command, CommandContext } from '../commands.js'
import { checkMachine, NotRoot, surveyMachine } from './survey.js'
import { activation, type Installation, MARK, SERVICE, systemFiles } from './system-files.js'
import { removeFiles, writeFiles } from './write-files.js'

const CommandFailed = defineError(
  'install.command_failed',
  'state',
  'A command of the system failed; the files are written.',
)

const options = {
  user: { type: 'string', doc: 'System user that runs the unit (default benchlog).' },
  home: { type: 'string', doc: 'Data directory (default /var/lib/benchlog).' },
  root: {
    type: 'string',
    doc: 'Write below this directory instead, and start nothing: for the image of another machine.',
  },
  worker: {
    type: 'boolean',
    doc: 'Let leaders of Pioreactor clusters find the unit: announced in the network, on port 80.',
  },
  'dry-run': { type: 'boolean', doc: 'Print every file and command, change nothing.' },
} as const

const text = (value: string | boolean | undefined, fallback: string): string =>
  typeof value === 'string' ? value : fallback

const survey = ({ options: given }: CommandContext): Installation =>
  surveyMachine({
    user: text(given['user'], 'benchlog'),
    home: text(given['home'], '/var/lib/benchlog'),
    worker: given['worker'] === true,
  })

export const installCommand: Command = {
  options,
  async run(context) {
    // Files of the system are for everybody to read, unlike those of a unit.
    process.umask(0o022)
    const { options: given, print } = context
    const installation = survey(context)
    const files = systemFiles(installation)
    const root = text(given['root'], '')
    if (given['dry-run'] === true) {
      for (const { path, content } of files) print(`==> ${path}\n${content}`)
      print('==> then')
      for (const command of activation) print(command.join(' '))
      return 0
    }
    if (root !== '') {
      writeFiles(files, root, print)
      return 0
    }
    checkMachine(installation)
    writeFiles(files, '/', print)
    for (const command of activation) run(command, print)
    print(`Settings: ${files.find(({ keep }) => keep)?.path}. Start it with: systemctl start ${SERVICE}`)
    return 0
  },
}

export const uninstallCommand: Command = {
  options: { root: options.root },
  async run(context) {
    const { print } = context
    const root = text(context.options['root'], '')
    const files = systemFiles({ ...survey(context), hardwareWatchdog: true, worker: true })
    if (root !== '') {
      removeFiles(files, root, print)
      return 0
    }
    if (process.getuid?.() !== 0) throw new NotRoot('Only root may remove a service.')
    run(['systemctl', 'disable', '--now', SERVICE], print)
    removeFiles(files, '/', print)
    run(['udevadm', 'control', '--reload'], print)
    run(['systemctl', 'daemon-reexec'], print)
    print('Data, settings and the system user are kept.')
    return 0
  },
}

/** @throws LabError when the command fails. */
function run([program, ...args]: readonly [string, ...string[]], print: (line: string) => void): void {
  print([program, ...args].join(' '))
  const { status, stderr, error } = spawnSync(program, args, { encoding: 'utf8' })
  if (status === 0) return
  throw new CommandFailed(`${program} failed: ${(error?.message ?? stderr).trim()}`, {
    remediation: `The files are written (each begins with "${MARK}"). Mend the reason, then run it again.`,
  })
}
