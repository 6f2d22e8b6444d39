/** Set by `bin/start` to its own process id. */
const LAUNCHER = 'BENCHLOG_LAUNCHER'
const LOOK_MS = 1000

export interface Launcher {
  /** From now on an end that nobody asked for is followed by a new start. */
  ready(): void
  /** From now on no end is. */
  ending(): void
  /** Resolves when the launcher is gone: a unit that nobody starts again, and whose terminal has gone on, must not stay behind. */
  readonly gone: Promise<void>
}

/** The script that started this process and starts it again, where there is one. */
export function findLauncher(): Launcher {
  const pid = Number(process.env[LAUNCHER])
  const lives = (): boolean => process.ppid === pid
  if (!lives()) return { ready: () => undefined, ending: () => undefined, gone: new Promise(() => undefined) }
  const tell = (signal: NodeJS.Signals): void => {
    if (lives()) process.kill(pid, signal)
  }
  return {
    ready: () => tell('SIGUSR1'),
    ending: () => tell('SIGUSR2'),
    gone: new Promise((resolve) => {
      setInterval(() => lives() || resolve(), LOOK_MS).unref()
    }),
  }
}
