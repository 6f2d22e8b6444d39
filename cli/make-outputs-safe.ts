import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Config } from '../config.js'
import { systemEnvironment } from '../environment.js'

const SWITCH_OFF = fileURLToPath(new URL('./switch-off-entry.js', import.meta.url))

/** Safe-state takes 2 s at most, once it has started. */
const LIMIT_MS = 5000

/** Program and arguments that drive the outputs safe in a process of their own, so that a driver that crashes or hangs takes nobody along. */
export const switchOffCommand = (config: Pick<Config, 'hardware' | 'runDirectory'>): readonly [string, ...string[]] => [
  process.execPath,
  SWITCH_OFF,
  config.hardware,
  config.runDirectory,
]

/** Drives the outputs safe. Resolves with what could not be done, empty when all is off; never rejects. */
export async function makeOutputsSafe(config: Pick<Config, 'hardware' | 'runDirectory'>): Promise<string> {
  const [program, ...args] = switchOffCommand(config)
  let said = ''
  try {
    // In a group of its own: a Ctrl-C must not leave it half done.
    const child = spawn(program, args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      detached: true,
      env: systemEnvironment(process.env),
    })
    const limit = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS)
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text
    })
    const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
    clearTimeout(limit)
    return code === 0 ? '' : said.trim() || `safe-state ended with ${signal ?? code}.`
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}
