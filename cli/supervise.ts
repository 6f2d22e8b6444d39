import { type ChildProcess, spawn } from 'node:child_process'
import type { Logger } from '../events/ports.js'
import { type SupervisorMessage, supervisedEnvironment } from './under-supervision.js'

export interface SuperviseOptions {
  readonly name: string
  /** Compiled entry and its arguments. */
  readonly args: readonly string[]
  readonly env: NodeJS.ProcessEnv
  /** Without a heartbeat for so long the child is killed, ms. */
  readonly heartbeatTimeoutMs: number
  /** A child may take so long to its first heartbeat, ms. */
  readonly startTimeoutMs: number
  /** How long a child may take to stop when asked, ms; then it is killed. */
  readonly stopTimeoutMs: number
  /** What is to be done between the end of one child and the start of the next; it is waited for, and does not reject. */
  readonly afterDeath?: () => Promise<void>
  readonly logger: Logger
}

export interface Supervised {
  readonly pid: number | undefined
  /** Whether a child runs that has not missed its heartbeats. */
  readonly alive: boolean
  /** Kills the child, waits until it is gone, and starts no other until `resume`. */
  halt(): Promise<void>
  resume(): void
  /** Asks the child to stop and waits until it is gone. */
  stop(): Promise<void>
}

const BACKOFF_MS = [250, 500, 1000, 2000, 5000, 10_000]
/** A child that lived so long has recovered: the next restart is quick again. */
const STABLE_MS = 30_000

interface Running {
  /** Null when the system refused to start one. */
  readonly child: ChildProcess | null
  readonly ended: Promise<void>
  readonly beats: () => boolean
}

/** Runs a child process for ever: restarts it with back-off when it ends or cannot be started, kills it when it misses its heartbeats. */
export function supervise(options: SuperviseOptions): Supervised {
  const { name, logger } = options
  let stopping = false
  let halted = false
  let failures = 0
  let restart: NodeJS.Timeout | undefined
  let current = run()

  function run(): Running {
    const startedAt = performance.now()
    const again = (reason: { readonly code?: number | null; readonly signal?: NodeJS.Signals | null }): void => {
      if (stopping || halted) return
      failures = performance.now() - startedAt > STABLE_MS ? 0 : failures + 1
      const delayMs = BACKOFF_MS[Math.min(failures, BACKOFF_MS.length - 1)] ?? 0
      logger.warn({ child: name, ...reason, delayMs }, 'process ended, restarting')
      const settled = options.afterDeath?.()
      restart = setTimeout(() => void runAfter(settled), delayMs)
    }
    const notStarted = (error: unknown): void => {
      logger.error({ child: name, err: error }, 'process did not start')
      again({})
    }
    let child: ChildProcess
    try {
      child = spawn(process.execPath, options.args, {
        env: supervisedEnvironment(options.env),
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      })
    } catch (error) {
      // Some refusals of the system are thrown (no memory), others emitted (no process left).
      notStarted(error)
      return { child: null, ended: Promise.resolve(), beats: () => false }
    }
    const watch = watchHeartbeats(child, options)
    const ended = new Promise<void>((resolve) => {
      child.on('error', (error) => {
        if (child.pid !== undefined) {
          logger.warn({ child: name, err: error }, 'message to the process failed')
          return
        }
        watch.end()
        resolve()
        notStarted(error)
      })
      child.once('exit', (code, signal) => {
        watch.end()
        resolve()
        again({ code, signal })
      })
    })
    return { child, ended, beats: watch.beats }
  }

  async function runAfter(settled: Promise<void> | undefined): Promise<void> {
    await settled
    if (!stopping && !halted) current = run()
  }

  return {
    get pid() {
      return current.child?.pid
    },
    get alive() {
      return current.beats()
    },
    async halt() {
      halted = true
      clearTimeout(restart)
      current.child?.kill('SIGKILL')
      await current.ended
    },
    resume() {
      if (!halted) return
      halted = false
      void runAfter(options.afterDeath?.())
    },
    async stop() {
      stopping = true
      clearTimeout(restart)
      const { child, ended } = current
      if (child === null || child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
      const kill = setTimeout(() => {
        logger.warn({ child: name }, 'process did not stop in time, killing it')
        child.kill('SIGKILL')
      }, options.stopTimeoutMs)
      if (child.connected) child.send('stop' satisfies SupervisorMessage)
      await ended
      clearTimeout(kill)
    },
  }
}

const TICK_MS = 100

/** Counts at most two ticks of silence per tick: a supervisor that was itself held up has not been listening meanwhile. */
function watchHeartbeats(
  child: ChildProcess,
  options: SuperviseOptions,
): { readonly beats: () => boolean; readonly end: () => void } {
  const { name, heartbeatTimeoutMs, startTimeoutMs, logger } = options
  let leftMs = startTimeoutMs
  let lastTick = performance.now()
  let ended = false
  child.on('message', (message) => {
    if (message === ('heartbeat' satisfies SupervisorMessage)) leftMs = heartbeatTimeoutMs
  })
  const ticker = setInterval(() => {
    const now = performance.now()
    leftMs -= Math.min(now - lastTick, 2 * TICK_MS)
    lastTick = now
    if (leftMs > 0) return
    clearInterval(ticker)
    logger.error({ child: name, pid: child.pid }, 'process misses its heartbeats, killing it')
    child.kill('SIGKILL')
  }, TICK_MS)
  return {
    beats: () => !ended && leftMs > 0,
    end() {
      ended = true
      clearInterval(ticker)
    },
  }
}
