import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt'
import { onTestFinished } from 'vitest'
import { freePort } from './free-port.js'
import { temporaryDirectory } from './temporary-directory.js'
import { until } from './until.js'

const MOSQUITTO = ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto', '/usr/bin/mosquitto'].find((path) =>
  existsSync(path),
)

/** Tests with it are left out where it is not installed, unless they are required. */
export const withoutMosquitto = MOSQUITTO === undefined && process.env['REQUIRE_PEERS'] !== '1'

export interface Mosquitto {
  readonly port: number
  readonly directory: string
  /** The same again, on the same port and in the same directory. */
  start(): Promise<void>
  /** SIGTERM by default: what is retained is saved where persistence is set. */
  end(signal?: NodeJS.Signals): Promise<void>
  /** What it wrote to its log in all its lives, where lines of its configuration ask for one. */
  log(): string
  /** A client that is ended with the test. */
  connect(options?: IClientOptions): Promise<MqttClient>
}

/** A Mosquitto on a free port of the loopback, ended with the test. No limit of its own keeps messages from its subscribers.
 * @param lines of its configuration, beside the port; anonymous clients are let in unless a line says otherwise */
export async function startMosquitto(...lines: readonly string[]): Promise<Mosquitto> {
  const directory = temporaryDirectory()
  const port = Number(await freePort())
  const file = join(directory, 'mosquitto.conf')
  const anonymous = lines.some((line) => line.startsWith('allow_anonymous')) ? [] : ['allow_anonymous true']
  const quiet = lines.some((line) => line.startsWith('log_type')) ? [] : ['log_type none']
  const common = ['max_inflight_messages 0', 'max_queued_messages 0', ...quiet, `user ${userInfo().username}`]
  const logFile = join(directory, 'mosquitto.log')
  const logTo = openSync(logFile, 'a', 0o600)
  writeFileSync(file, `${[`listener ${port} 127.0.0.1`, ...anonymous, ...common, ...lines, ''].join('\n')}`)
  let child: ChildProcess | undefined
  const start = async (): Promise<void> => {
    const started = spawn(MOSQUITTO ?? 'mosquitto', ['-c', file], { stdio: ['ignore', 'ignore', logTo] })
    child = started
    await once(started, 'spawn')
    await until(() => {
      if (started.exitCode !== null) throw new Error(`mosquitto ended with ${started.exitCode}`)
      return isListening(port)
    }, 'Mosquitto to listen')
  }
  const end = async (signal: NodeJS.Signals = 'SIGTERM'): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.kill(signal)
    await ended
  }
  await start()
  onTestFinished(async () => {
    await end('SIGKILL')
    closeSync(logTo)
  })
  return {
    port,
    directory,
    start,
    end,
    log: () => readFileSync(logFile, 'utf8'),
    async connect(options = {}) {
      const client = await connectAsync(`mqtt://127.0.0.1:${port}`, {
        protocolVersion: 4,
        reconnectPeriod: 50,
        ...options,
      })
      onTestFinished(() => client.endAsync(true))
      client.on('error', () => undefined)
      return client
    },
  }
}

const isListening = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
