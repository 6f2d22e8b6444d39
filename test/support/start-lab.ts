import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { connectAsync, type MqttClient } from 'mqtt'
import { shutDownBench } from '../../simulation/bench-directory.js'
import { isAlive } from './is-alive.js'
import { findProcesses } from './processes.js'
import { until } from './until.js'

const main = fileURLToPath(new URL('../../main.js', import.meta.url))
const launcher = fileURLToPath(new URL('../../../bin/start', import.meta.url))

/** Last line of the banner of a unit that is ready. */
export const READY = 'Ctrl-C stops it'

/** A unit that may still be starting. */
export interface LaunchedLab {
  readonly main: ChildProcess
  /** Everything written to standard output and standard error so far. */
  readonly output: () => string
  /** Resolves with the exit code; null when a signal ended it. */
  exited(): Promise<number | null>
  /** Ctrl-C, or another signal: it reaches the whole group. Resolves with the exit code. */
  interrupt(signal?: NodeJS.Signals): Promise<number | null>
}

/** A whole unit as users start it: the compiled program in its own process group, on free ports, in a temporary directory. */
export interface Lab extends LaunchedLab {
  readonly home: string
  readonly unit: string
  /** `http://localhost:<port>`, or with `https` */
  readonly url: string
  readonly mqttPort: number
  readonly wsPort: number
  connect(options?: { clientId?: string; clean?: boolean }): Promise<MqttClient>
  /** GET as JSON. */
  get<T = unknown>(path: string): Promise<T>
  /** Sends JSON; resolves with status and body. */
  send<T = unknown>(method: string, path: string, body?: unknown): Promise<{ status: number; body: T }>
  /** Process id of main, be it under the launcher or not. */
  mainPid(): number
  /** Process id of the services. */
  servicesPid(): number
  /** kill -9 of the whole process group. */
  killAll(): Promise<void>
}

export interface LabHome {
  readonly home: string
  /** Resolves when the unit says that it is ready. */
  start(env?: Readonly<Record<string, string>>): Promise<Lab>
  /** Does not wait for it; or runs another command. */
  launch(env?: Readonly<Record<string, string>>, ...args: readonly string[]): LaunchedLab
  /** As `npm start` does: the `main` of it is the launcher. */
  launchSupervised(env?: Readonly<Record<string, string>>): LaunchedLab
  startSupervised(env?: Readonly<Record<string, string>>): Promise<Lab>
  /** Ends whatever still runs, the bench included, and removes the directory. */
  remove(): Promise<void>
}

/** A data directory that units can be started on, one after the other. */
export function createLabHome(): LabHome {
  const home = mkdtempSync(join(tmpdir(), 'benchlog-'))
  const started: ChildProcess[] = []
  const run = (env: Readonly<Record<string, string>>, ...command: readonly [string, ...string[]]): LaunchedLab => {
    const launched = launchLab(home, env, command)
    started.push(launched.main)
    return launched
  }
  const launch: LabHome['launch'] = (env = {}, ...args) => run(env, process.execPath, main, ...args)
  const launchSupervised: LabHome['launchSupervised'] = (env = {}) => run(env, 'sh', launcher)
  return {
    home,
    launch,
    launchSupervised,
    start: (env = {}) => whenReady(home, launch(env), env['UNIT_NAME'] ?? 'lab'),
    startSupervised: (env = {}) => whenReady(home, launchSupervised(env), env['UNIT_NAME'] ?? 'lab', childOfLauncher),
    async remove() {
      for (const child of started) killGroup(child)
      await until(() => !isSafeStateRunning(home), 'the guardian and what it runs to be gone')
      await shutDownBench(join(home, 'run', 'bench')).catch(() => undefined)
      rmSync(home, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 })
    },
  }
}

/** Settings of a unit in a directory of its own, on free ports. */
export const unitEnvironment = (home: string, env: Readonly<Record<string, string>>): NodeJS.ProcessEnv => ({
  ...process.env,
  BENCHLOG_HOME: home,
  HTTP_PORT: '0',
  MQTT_PORT: '0',
  MQTT_WS_PORT: '0',
  ...env,
})

function launchLab(
  home: string,
  env: Readonly<Record<string, string>>,
  [program, ...args]: readonly [string, ...string[]],
): LaunchedLab {
  const child = spawn(program, args, {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: unitEnvironment(home, { UNIT_NAME: 'lab', ...env }),
  })
  let output = ''
  child.stdout.on('data', (text: Buffer) => {
    output += text.toString()
  })
  child.stderr.on('data', (text: Buffer) => {
    output += text.toString()
  })
  const exited = async (): Promise<number | null> => {
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
    return child.exitCode
  }
  return {
    main: child,
    output: () => output,
    exited,
    interrupt(signal = 'SIGINT') {
      process.kill(-Number(child.pid), signal)
      return exited()
    },
  }
}

const childOfLauncher = (child: ChildProcess): number => childPid(Number(child.pid), 'main.js')

async function whenReady(
  home: string,
  launched: LaunchedLab,
  unit: string,
  mainOf = (child: ChildProcess): number => Number(child.pid),
): Promise<Lab> {
  const { main: child, output } = launched
  await until(() => output().includes(READY) || child.exitCode !== null, 'the banner', 90_000)
  const port = (pattern: RegExp): number => Number(pattern.exec(output())?.[1] ?? fail(output()))
  const scheme = output().includes('https://') ? 'https' : 'http'
  const url = `${scheme}://localhost:${port(/Dashboard and REST\s+https?:\/\/localhost:(\d+)/)}`
  const mqttPort = port(/mqtts?:\/\/localhost:(\d+)/)
  return {
    ...launched,
    home,
    unit,
    url,
    mqttPort,
    wsPort: port(/wss?:\/\/localhost:(\d+)/),
    connect: (options = {}) =>
      connectAsync(`mqtt://localhost:${mqttPort}`, { protocolVersion: 4, reconnectPeriod: 0, ...options }),
    async get<T>(path: string) {
      const response = await fetch(url + path)
      return (await response.json()) as T
    },
    async send<T>(method: string, path: string, body?: unknown) {
      const init =
        body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
      const response = await fetch(url + path, { method, ...init })
      return { status: response.status, body: (await response.json()) as T }
    },
    mainPid: () => mainOf(child),
    servicesPid: () => childPid(mainOf(child), 'services'),
    async killAll() {
      const alive = child.exitCode === null && child.signalCode === null
      const services = alive ? childPid(mainOf(child), 'services') : null
      killGroup(child)
      if (services === null) return
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      await until(() => !isAlive(services), 'the services to be gone')
    },
  }
}

/** The guardian, or safe-state: both are told the directory. */
const isSafeStateRunning = (home: string): boolean =>
  findProcesses(({ command }) => command.at(-1) === join(home, 'run')).length > 0

function killGroup(child: ChildProcess): void {
  try {
    process.kill(-Number(child.pid), 'SIGKILL')
  } catch {
    // The group has already ended.
  }
}

/** The child of a process whose command line ends with the given text. */
function childPid(parent: number, end: string): number {
  const children = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim().split(' ')
  for (const pid of children) {
    if (readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').at(-2)?.endsWith(end)) return Number(pid)
  }
  throw new Error(`process ${parent} has no child '${end}'`)
}

function fail(output: string): never {
  throw new Error(`the unit did not start:\n${output}`)
}
