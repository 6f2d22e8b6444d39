import { LabError } from '../../../events/core/errors.js'
import { ProgramFailure, runProgram } from '../../runtime/run-program.js'
import { PluginNotInstalled } from './errors.js'

export interface NpmSettings {
  /** Whether packages may run programs of their own while they are installed. */
  readonly scripts: 'ignore' | 'run'
  /** Address of the registry; empty for the one npm is configured with. */
  readonly registry: string
}

export interface NpmInstall extends NpmSettings {
  /** Empty directory that everything is put into. */
  readonly prefix: string
  /** What to install, as npm names it. */
  readonly spec: string
  readonly stop: AbortSignal
}

/** A package with many dependencies, over a slow line, on a small computer. */
const TIMEOUT_MS = 10 * 60_000

/** Measurements and pumps go first. */
const NICENESS = 10

/** Later versions of npm 11 run scripts only when the second option allows it too; earlier ones do not know that option and go on. */
const SCRIPTS = { ignore: ['--ignore-scripts'], run: ['--ignore-scripts=false', '--dangerously-allow-all-scripts'] }

/** Everything that a configuration of the user could set otherwise, and nothing that could be taken for another option. */
const argumentsOf = ({ prefix, spec, scripts, registry }: NpmInstall): readonly string[] => [
  'install',
  ...['--prefix', prefix, '--cache', `${prefix}/.cache`, '--global=false'],
  ...SCRIPTS[scripts],
  // No links: an archive of the unit leaves them out. Peers are what loads the plugin.
  ...['--install-links', '--no-bin-links', '--omit=dev', '--legacy-peer-deps', '--allow-git=none'],
  ...[
    '--no-audit',
    '--no-fund',
    '--no-update-notifier',
    '--loglevel=error',
    '--fetch-retries=1',
    '--fetch-retry-mintimeout=2000',
  ],
  ...(registry === '' ? [] : ['--registry', registry]),
  '--',
  spec,
]

/** Installs a package with its dependencies. @throws PluginNotInstalled in npm's words */
export async function npmInstall(install: NpmInstall): Promise<void> {
  try {
    const { code, stderr } = await runProgram('npm', argumentsOf(install), {
      cwd: install.prefix,
      timeoutMs: TIMEOUT_MS,
      niceness: NICENESS,
      stop: install.stop,
    })
    if (code === 0) return
    if (install.stop.aborted) throw new PluginNotInstalled('The services ended before the plugin was installed.')
    throw new PluginNotInstalled(`npm could not install it: ${reasonIn(stderr)}.`, {
      remediation: 'Look whether its name is right and the registry can be reached. Plugins for Python cannot be used.',
    })
  } catch (cause) {
    if (cause instanceof LabError || !(cause instanceof ProgramFailure)) throw cause
    throw new PluginNotInstalled(cause.message, {
      cause,
      ...(cause.reason === 'missing'
        ? { remediation: 'Install npm, and see that the unit finds it in its PATH.' }
        : {}),
    })
  }
}

/** The first lines of what npm says, without the name of its own log and what may stand before the host of an address. */
function reasonIn(stderr: string): string {
  const lines = stderr.split('\n').flatMap((line) => /^npm (?:error|ERR!) (.*\S)/.exec(line)?.[1] ?? [])
  const said = lines.filter((line) => !/complete log|^\s*at |^errno|^syscall/i.test(line)).slice(0, 3)
  return (
    said
      .join('; ')
      .replace(/\/\/[^/@\s]+@/g, '//')
      .slice(0, 400)
      .replace(/\.$/, '') || 'it does not say why'
  )
}
