import { spawn } from 'node:child_process'
import { setPriority } from 'node:os'

export interface ProgramOptions {
  readonly cwd?: string
  /** The whole environment; that of this process unless given. */
  readonly env?: Readonly<Record<string, string>>
  /** Text for standard input. */
  readonly input?: string
  /** Real milliseconds: what it talks to does not follow a simulated clock. */
  readonly timeoutMs: number
  /** What it may wait for the processor, from 1 to 19; that of this process unless given. */
  readonly niceness?: number
  /** Ends it. */
  readonly stop?: AbortSignal | undefined
}

export interface ProgramResult {
  /** Exit status; null when a signal ended it. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Why a program gave no result. */
export class ProgramFailure extends Error {
  readonly reason: 'missing' | 'late'

  constructor(reason: 'missing' | 'late', message: string, options?: ErrorOptions) {
    super(message, options)
    this.reason = reason
  }
}

/** Enough for a listing of thousands of files; what comes later is dropped. */
const MAX_OUTPUT = 4 * 1024 * 1024

/** Runs a program with an argument vector to its end; no shell reads it.
 * @throws ProgramFailure when there is no such program, or it took too long */
export const runProgram = (
  program: string,
  args: readonly string[],
  { cwd, env, input = '', timeoutMs, niceness, stop }: ProgramOptions,
): Promise<ProgramResult> =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      ...(cwd === undefined ? {} : { cwd }),
      ...(env === undefined ? {} : { env }),
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    if (niceness !== undefined && child.pid !== undefined) yieldTo(child.pid, niceness)
    let stdout = ''
    let stderr = ''
    let late = false
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      if (stdout.length < MAX_OUTPUT) stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (stderr.length < MAX_OUTPUT) stderr += text
    })
    // A program that ends without reading its input is judged by its exit status.
    child.stdin.on('error', () => undefined)
    child.stdin.end(input)
    const kill = (): void => {
      child.kill('SIGKILL')
    }
    const timer = setTimeout(() => {
      late = true
      kill()
    }, timeoutMs)
    stop?.addEventListener('abort', kill, { once: true })
    if (stop?.aborted === true) kill()
    const end = (): void => {
      clearTimeout(timer)
      stop?.removeEventListener('abort', kill)
    }
    child.once('error', (cause) => {
      end()
      reject(new ProgramFailure('missing', `${program} cannot be run: ${cause.message}.`, { cause }))
    })
    child.once('close', (code) => {
      end()
      if (late) reject(new ProgramFailure('late', `${program} did not end within ${timeoutMs / 1000} s.`))
      else resolve({ code, stdout, stderr })
    })
  })

function yieldTo(pid: number, niceness: number): void {
  try {
    setPriority(pid, niceness)
  } catch {
    // It has ended already.
  }
}
