import { type ChildProcess, spawn } from 'node:child_process'
import type { Logger } from '../events/ports.js'

/** Waits on standard input for one line. When the pipe closes without it, the process that held the other end is gone, however it went,
 * and the outputs are driven safe. Signals are ignored: a guardian that dies with its ward guards nothing. */
const SCRIPT = 'trap "" INT TERM HUP; IFS= read -r line || exec "$@"'

/** A guardian that cannot be started is tried again so often. */
const RETRY_MS = 500

export interface Guardian {
  readonly pid: number | undefined
  /** The outputs are known to be safe: ends the guardian without another run of safe-state. */
  dismiss(): void
}

/** Starts the guardian outside this process's group and session, and another one whenever it is killed.
 * @param command program and arguments that drive the outputs safe. */
export function startGuardian(command: readonly string[], logger: Logger): Guardian {
  let dismissed = false
  let guardian = start()

  function start(): ChildProcess {
    const child = spawn('/bin/sh', ['-c', SCRIPT, 'guardian', ...command], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    child.unref()
    // The guardian may be gone first when the machine shuts down; that must not take its ward with it.
    child.on('error', (error) => {
      logger.error({ err: error }, 'guardian did not start')
      setTimeout(replace, RETRY_MS).unref()
    })
    child.once('exit', (code, signal) => {
      if (!dismissed) logger.warn({ code, signal }, 'guardian ended, starting another')
      replace()
    })
    child.stdin?.on('error', ignore)
    return child
  }

  function replace(): void {
    if (!dismissed) guardian = start()
  }

  return {
    get pid() {
      return guardian.pid
    },
    dismiss() {
      dismissed = true
      guardian.stdin?.end('safe\n')
    },
  }
}

const ignore = (): void => undefined
