import { spawn } from 'node:child_process'
import { ShareTimeout, ShareUnsupported } from './errors.js'

export interface CommandOptions {
  readonly cwd?: string
  /** Text for standard input. */
  readonly input?: string
  /** Real milliseconds: servers do not follow a simulated clock. */
  readonly timeoutMs: number
  readonly stop?: AbortSignal | undefined
}

export interface CommandResult {
  /** Exit status; null when a signal ended it. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program with an argument vector; no shell reads it. */
export type RunCommand = (program: string, args: readonly string[], options: CommandOptions) => Promise<CommandResult>

/** Enough for a listing of thousands of files; what comes later is dropped. */
const MAX_OUTPUT = 4 * 1024 * 1024

/** @throws ShareTimeout when it took too long, ShareUnsupported when there is no such program. */
export const runCommand: RunCommand = (program, args, { cwd, input = '', timeoutMs, stop }) =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      ...(cwd === undefined ? {} : { cwd }),
      stdio: ['pipe', 'pipe', 'pipe'],
    })
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
      reject(new ShareUnsupported(`${program} cannot be run: ${cause.message}.`, { cause }))
    })
    child.once('close', (code) => {
      end()
      if (late) reject(new ShareTimeout(`${program} did not end within ${timeoutMs / 1000} s.`))
      else resolve({ code, stdout, stderr })
    })
  })
