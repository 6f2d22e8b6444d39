import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { deadline } from '../../primitives/deadline.js'

/** Runs a program that ends when standard input does. A program outlives the process that started it and would keep its GPIO line from everybody,
 * were it not for the pipe, which the kernel closes whatever that process dies of. */
const LEASHED =
  'exec 3<&0; "$0" "$@" 3<&- & program=$!; ' +
  '(while read -r _; do :; done; kill "$program") <&3 2>/dev/null & watcher=$!; exec 3<&-; ' +
  'wait "$program"; status=$?; kill "$watcher" 2>/dev/null; exit "$status"'

/** A line that is in use or a chip that is gone ends the programs of libgpiod within milliseconds. */
const SETTLE_MS = 150

export interface ChildProgram {
  /** Resolves when it ended, whyever; with what it said of the reason. */
  readonly ended: Promise<string>
  /** Ends it and waits until it has. */
  stop(): Promise<void>
}

export interface ProgramOptions {
  readonly program: string
  readonly args: readonly string[]
  /** What it prints. */
  readonly onLine?: (line: string) => void
}

/** Starts a program that works until it is stopped, and ends with this process at the latest. */
export function launchProgram({ program, args, onLine = () => undefined }: ProgramOptions): ChildProgram {
  const child = spawn('sh', ['-c', LEASHED, program, ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-1000)
  })
  child.stdin.on('error', () => undefined)
  const ended = hasEnded(child).then(() => said.trim())
  createInterface({ input: child.stdout }).on('line', onLine)
  return {
    ended,
    async stop() {
      child.stdin.end()
      await ended
    },
  }
}

/** The same, once it has lived for a moment. @throws Error with what it said when it ended at once */
export async function startProgram(options: ProgramOptions): Promise<ChildProgram> {
  const child = launchProgram(options)
  const reason = await deadline(SETTLE_MS, child.ended, () => null)
  if (reason !== null) throw new Error(reason || `${options.program} ended at once.`)
  return child
}

async function hasEnded(child: ChildProcess): Promise<void> {
  await once(child, 'close').catch(() => undefined)
}
