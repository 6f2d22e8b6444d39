import { spawn } from 'node:child_process'
import type { LabError } from '../../../events/core/errors.js'
import type { SystemAction } from '../../../events/machine/actions.js'
import { ActionDisabled, ActionFailed } from '../../../events/machine/errors.js'
import { ProgramFailure, type ProgramResult, runProgram } from '../../runtime/run-program.js'

/** The only programs that are run for REST clients, each with all its arguments. Nothing of a request gets into a shell, and only a number into
 * a vector. With systemd they work for a service user whom a policy allows them. */
const VECTORS = {
  reboot: ['systemctl', 'reboot'],
  shutdown: ['systemctl', 'poweroff'],
  restartUnit: ['systemctl', '--no-block', 'restart', 'benchlog.service'],
  /** Which of the known time services runs: one line for each. */
  timeServices: ['systemctl', 'is-active', 'chrony.service', 'chronyd.service', 'systemd-timesyncd.service'],
} as const satisfies Readonly<Record<string, readonly [string, ...string[]]>>

const TIMEDATE = 'org.freedesktop.timedate1'

/** Microseconds since 1970, absolute, without the question of an administrator. Source: org.freedesktop.timedate1(5). */
const setTimeVector = (microseconds: bigint): readonly [string, ...string[]] => [
  ...(['busctl', 'call', TIMEDATE, `/${TIMEDATE.replaceAll('.', '/')}`, TIMEDATE, 'SetTime', 'xbb'] as const),
  ...[String(microseconds), 'false', 'false'],
]

/** System directories alone: no program of somebody else is found under these names. */
const ENVIRONMENT = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8' }
const TIMEOUT_MS = 20_000
const MAX_WORDS = 500

/** The narrow way from the unit to the operating system. What the settings do not allow throws ActionDisabled before anything happens; what the
 * operating system does not do throws ActionFailed with its words. */
export interface Machine {
  allows(action: SystemAction): boolean
  /** @throws ActionDisabled */
  demand(action: SystemAction | 'update'): void
  reboot(): Promise<void>
  shutdown(): Promise<void>
  restartUnit(): Promise<void>
  /** @param microseconds since 1970, UTC */
  setClock(microseconds: bigint): Promise<void>
  /** Starts the time service anew, which then asks its server. */
  synchroniseClock(): Promise<void>
  /** Launches the updater; it lives on when this process ends. Resolves when it runs. */
  update(args: readonly string[]): Promise<void>
}

interface MachineOptions {
  readonly allowed: readonly SystemAction[]
  /** Absolute; empty for none. */
  readonly updateProgram: string
  /** As `runProgram` does, unless given. */
  readonly run?: (vector: readonly [string, ...string[]]) => Promise<ProgramResult>
}

const runVector = ([program, ...args]: readonly [string, ...string[]]): Promise<ProgramResult> =>
  runProgram(program, args, { env: ENVIRONMENT, timeoutMs: TIMEOUT_MS })

export function createMachine({ allowed, updateProgram, run = runVector }: MachineOptions): Machine {
  const demand = (action: SystemAction | 'update'): void => {
    if (action === 'update' ? updateProgram !== '' : allowed.includes(action)) return
    throw disabled(action)
  }
  async function done(action: SystemAction, vector: readonly [string, ...string[]]): Promise<ProgramResult> {
    demand(action)
    return run(vector).catch((cause: unknown) => {
      throw cause instanceof ProgramFailure ? new ActionFailed(cause.message, { cause }) : cause
    })
  }
  async function must(action: SystemAction, vector: readonly [string, ...string[]]): Promise<void> {
    const { code, stderr } = await done(action, vector)
    if (code === 0) return
    const words = stderr.trim().slice(0, MAX_WORDS)
    throw new ActionFailed(`${vector.slice(0, 2).join(' ')} failed: ${words || `it ended with ${code}`}.`, {
      remediation: 'See whether the user of the unit may do this; the page on the system tells how it is allowed.',
    })
  }
  return {
    allows: (action) => allowed.includes(action),
    demand,
    reboot: () => must('reboot', VECTORS.reboot),
    shutdown: () => must('shutdown', VECTORS.shutdown),
    restartUnit: () => must('web_server', VECTORS.restartUnit),
    setClock: (microseconds) => must('clock', setTimeVector(microseconds)),
    async synchroniseClock() {
      // It ends with 0 only where all of them run.
      const { stdout } = await done('clock', VECTORS.timeServices)
      const names = VECTORS.timeServices.slice(2)
      const running = names[stdout.split('\n').findIndex((state) => state.trim() === 'active')]
      if (running === undefined) throw new ActionFailed(`No time service runs; known are ${names.join(', ')}.`)
      await must('clock', ['systemctl', 'restart', running])
    },
    update(args) {
      demand('update')
      return new Promise((resolve, reject) => {
        const child = spawn(updateProgram, args, { cwd: '/', env: ENVIRONMENT, detached: true, stdio: 'ignore' })
        child.once('error', (cause) =>
          reject(new ActionFailed(`The program that updates cannot be run: ${cause.message}.`, { cause })),
        )
        child.once('spawn', () => {
          child.unref()
          resolve()
        })
      })
    },
  }
}

const disabled = (action: string): LabError =>
  new ActionDisabled(`This unit is not allowed to do this (${action}); nothing was done.`, {
    remediation:
      action === 'update'
        ? 'Name the program that updates the unit in the setting UPDATE_PROGRAM.'
        : `Name ${action} in the setting SYSTEM_ACTIONS.`,
  })
