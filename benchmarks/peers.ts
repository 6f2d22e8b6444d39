import { fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { endChild } from './load.js'

export const BENCHLOG = 'Benchlog (fsync before PUBACK)'
export const AEDES = 'bare Aedes (memory only)'
const MOSQUITTO = 'Mosquitto (default autosave)'
const MOSQUITTO_ON_CHANGES = 'Mosquitto (saved per change)'

/** A broker under test, a process of its own. */
export interface Peer {
  readonly name: string
  readonly port: number
  stop(): Promise<void>
}

/** Starts Benchlog's broker and its peers, Mosquitto only where it is installed. Their files lie on one disk, in the system's
 * temporary directory. */
export async function startPeers(): Promise<{ readonly peers: readonly Peer[]; stop(): Promise<void> }> {
  const directory = await mkdtemp(join(tmpdir(), 'benchlog-peers-'))
  const peers: Peer[] = []
  const stop = async (): Promise<void> => {
    await Promise.all(peers.map((peer) => peer.stop()))
    await rm(directory, { recursive: true, force: true })
  }
  try {
    peers.push(await startNodeBroker(BENCHLOG, 'benchlog-broker.js', [directory]))
    peers.push(await startNodeBroker(AEDES, 'aedes-broker.js', []))
    for (const [name, settings] of [
      [MOSQUITTO, []],
      [MOSQUITTO_ON_CHANGES, ['autosave_on_changes true', 'autosave_interval 1']],
    ] as const) {
      const mosquitto = await startMosquitto(name, await mkdtemp(join(directory, 'mosquitto-')), settings)
      if (mosquitto !== null) peers.push(mosquitto)
    }
    return { peers, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function startNodeBroker(name: string, entry: string, args: readonly string[]): Promise<Peer> {
  const child = fork(fileURLToPath(new URL(entry, import.meta.url)), args)
  const [{ port }] = (await once(child, 'message')) as [{ readonly port: number }]
  return { name, port, stop: () => endChild(child) }
}

/** Null when Mosquitto is not installed. */
export async function startMosquitto(
  name: string,
  directory: string,
  settings: readonly string[],
): Promise<Peer | null> {
  const port = await freePort()
  const file = join(directory, 'mosquitto.conf')
  const lines = [
    `listener ${port} 127.0.0.1`,
    'allow_anonymous true',
    'set_tcp_nodelay true',
    'max_inflight_messages 0',
    'max_queued_messages 0',
    `user ${userInfo().username}`,
    'persistence true',
    `persistence_location ${directory}/`,
    'log_type none',
    ...settings,
  ]
  await writeFile(file, `${lines.join('\n')}\n`)
  // Debian installs it where the PATH of ordinary users does not look.
  const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/usr/local/sbin` }
  const child = spawn('mosquitto', ['-c', file], { env, stdio: 'ignore' })
  const missing = new Promise<boolean>((resolve) => child.once('error', () => resolve(true)))
  if (await Promise.race([missing, once(child, 'spawn').then(() => false)])) return null
  while (!(await isListening(port))) {
    if (child.exitCode !== null) throw new Error(`mosquitto ended with ${child.exitCode}`)
    await delay(20)
  }
  return { name, port, stop: () => endChild(child) }
}

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

const isListening = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
