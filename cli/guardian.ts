import { type ChildProcess, spawn } from 'node:child_process'

/** Waits on standard input for one line. When the pipe closes without it, the process that held the other end is gone, however it went,
 * and the outputs are driven safe. Signals are ignored: a guardian that dies with its ward guards nothing. */
const SCRIPT = 'trap "" INT TERM HUP; IFS= read -r line || exec "$@"'

export interface Guardian {
  readonly pid: number | undefined
  /** The outputs are known to be safe: ends the guardian without another run of safe-state. */
  dismiss(): void
}

/** Starts the guardian outside this process's group and session.
 * @param command program and arguments that drive the outputs safe. */
export function startGuardian(command: readonly string[]): Guardian {
  const guardian: ChildProcess = spawn('/bin/sh', ['-c', SCRIPT, 'guardian', ...command], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  guardian.unref()
  // The guardian may be gone first when the machine shuts down; that must not take its ward with it.
  guardian.on('error', ignore)
  guardian.stdin?.on('error', ignore)
  return {
    pid: guardian.pid,
    dismiss() {
      guardian.stdin?.end('safe\n')
    },
  }
}

const ignore = (): void => undefined
