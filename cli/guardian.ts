import { type ChildProcess, spawn } from 'node:child_process'
import { systemEnvironment } from '../environment.js'
import type { Logger } from '../events/ports.js'
import { PERL, SHELL } from './guardian-scripts.js'
import { startTimeOf } from './process-identity.js'

/** From the event loop, so that one that hangs beats no more. */
const BEAT_MS = 500

/** After 2.5 s of silence the guardian acts: later than a supervisor of ours, which takes a hang for one after 2 s, and in time for outputs
 * to be off 3 s after the last beat. */
const SILENT_SLICES = 5
const SLICE_S = 0.5

/** A guardian that cannot be started, or does not live long, is tried again so often. */
const RETRY_MS = 500

export interface Guardian {
  readonly pid: number | undefined
  /** The outputs are known to be safe: ends the guardian without another run of safe-state. */
  dismiss(): void
}

/** Starts the guardian of this process outside its group and session, and another one whenever it is killed. When this process ends or hangs or
 * is frozen, however that happened, the guardian ends it and runs the command.
 * @param command program and arguments that drive the outputs safe. */
export function startGuardian(command: readonly string[], logger: Logger, interpreters = INTERPRETERS): Guardian {
  let dismissed = false
  let interpreter = 0
  let guardian = start()
  const beats = setInterval(() => guardian.stdin?.write('.'), BEAT_MS)
  beats.unref()

  function start(): ChildProcess {
    const startedAt = performance.now()
    const [program, ...script] = interpreters[interpreter] ?? SH
    const ward = [process.pid, startTimeOf(process.pid) ?? '']
    const child = spawn(program, [...script, ...[SILENT_SLICES, SLICE_S, ...ward].map(String), ...command], {
      detached: true,
      env: systemEnvironment(process.env),
      stdio: ['pipe', 'ignore', 'ignore'],
    })
    child.unref()
    // The guardian may be gone first when the machine shuts down; that must not take its ward with it.
    child.on('error', (error: NodeJS.ErrnoException) => {
      const missing = error.code === 'ENOENT' && interpreter + 1 < interpreters.length
      if (missing) interpreter++
      else logger.error({ err: error }, 'guardian did not start')
      replace(missing ? 0 : RETRY_MS)
    })
    child.once('exit', (code, signal) => {
      if (!dismissed) logger.warn({ code, signal }, 'guardian ended, starting another')
      replace(performance.now() - startedAt > RETRY_MS ? 0 : RETRY_MS)
    })
    child.stdin?.on('error', ignore)
    return child
  }

  function replace(delayMs: number): void {
    if (dismissed) return
    const again = (): void => {
      if (!dismissed) guardian = start()
    }
    if (delayMs === 0) again()
    else setTimeout(again, delayMs).unref()
  }

  return {
    get pid() {
      return guardian.pid
    },
    dismiss() {
      dismissed = true
      clearInterval(beats)
      guardian.stdin?.end('s')
    },
  }
}

type Interpreter = readonly [program: string, ...script: string[]]

const SH: Interpreter = ['/bin/sh', '-c', SHELL, 'guardian']
/** The first one that the machine has. */
const INTERPRETERS: readonly Interpreter[] = [['perl', '-e', PERL], SH]

const ignore = (): void => undefined
