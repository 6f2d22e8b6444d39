import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { defineError } from '../../events/core/errors.js'

const NotShutDown = defineError('hardware.not_shut_down', 'hardware', 'The computer refuses to shut down.')

const run = promisify(execFile)
const LIMIT_MS = 10_000

/** Shuts the computer down, all of it. @param command program and arguments @throws NotShutDown */
export async function powerOff([program, ...args]: readonly [string, ...string[]]): Promise<void> {
  try {
    await run(program, args, { timeout: LIMIT_MS })
  } catch (cause) {
    throw new NotShutDown(
      `'${[program, ...args].join(' ')}' failed${cause instanceof Error ? `: ${cause.message}` : '.'}`,
      {
        cause,
        remediation: 'Let the user of the services power off: they must be root, or a rule of polkit must allow it.',
      },
    )
  }
}
