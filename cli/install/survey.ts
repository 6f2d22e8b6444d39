import { spawnSync } from 'node:child_process'
import { accessSync, constants, existsSync, statSync } from 'node:fs'
import { dirname, isAbsolute } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineError, InvalidInput } from '../../events/core/errors.js'
import { mainPath } from '../services-command.js'
import type { Installation } from './system-files.js'

const NoSystemd = defineError('install.no_systemd', 'state', 'The machine has no systemd to install a service for.')
const NoPerl = defineError('install.no_perl', 'state', 'The machine has no perl.')
const Unreadable = defineError('install.unreadable', 'state', "The service's user may not read the program.")
export const NotRoot = defineError('install.not_root', 'state', 'Only root may install or remove a service.')

const USER = /^[a-z_][a-z0-9_-]{0,30}$/

export interface InstallOptions {
  readonly user: string
  readonly home: string
  readonly worker: boolean
}

/** What the files of an installation on this machine depend on. @throws InvalidInput for a wrong option. */
export function surveyMachine({ user, home, worker }: InstallOptions): Installation {
  if (!USER.test(user)) {
    throw new InvalidInput(`--user is '${user}'; allowed are up to 31 small letters, digits, '_' and '-'.`)
  }
  if (!isAbsolute(home) || /[\p{Cc}"\\]/u.test(home) || /\s$/.test(home)) {
    throw new InvalidInput(
      `--home is '${home}'; it must be an absolute path without quotes, backslashes and line breaks.`,
    )
  }
  return {
    user,
    home,
    node: process.execPath,
    main: mainPath(),
    manual: fileURLToPath(new URL('../../../docs/install.md', import.meta.url)),
    systemdVersion: systemdVersion(),
    hardwareWatchdog: existsSync('/dev/watchdog'),
    worker,
  }
}

/** 0 when there is none. */
function systemdVersion(): number {
  const { stdout } = spawnSync('systemctl', ['--version'], { encoding: 'utf8' })
  return Number(/^systemd (\d+)/.exec(stdout ?? '')?.[1] ?? 0)
}

/** @throws LabError when the files would not work here. */
export function checkMachine({ node, main, user, systemdVersion: version }: Installation): void {
  if (version === 0)
    throw new NoSystemd('This machine has no systemd.', {
      remediation: 'Run `npm start` under the service manager it has.',
    })
  if (spawnSync('perl', ['-e', 'use Socket']).status !== 0) {
    throw new NoPerl('perl is not installed; guardian and service manager are spoken to through it.', {
      remediation: 'Install perl-base.',
    })
  }
  for (const path of [node, main]) {
    const closed = closedDirectory(path)
    if (closed === null) continue
    throw new Unreadable(`${path} lies in ${closed}, which the user ${user} may not enter.`, {
      remediation:
        'Put Benchlog into a directory that everybody may enter, such as /opt/benchlog, and install Node for all users.',
    })
  }
  if (process.getuid?.() !== 0) {
    throw new NotRoot('Only root may install a service.', {
      remediation: 'Try it with sudo, or look at it with --dry-run.',
    })
  }
}

/** The first directory on the way to a path that others may not enter. */
function closedDirectory(path: string): string | null {
  accessSync(path, constants.R_OK)
  const parent = dirname(path)
  const above = parent === path ? null : closedDirectory(parent)
  if (above !== null) return above
  const { mode } = statSync(path)
  return (mode & 0o001) === 0 && statSync(path).isDirectory() ? path : null
}
