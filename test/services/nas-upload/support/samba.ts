import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'

export const PASSWORD = 'correct horse, battery'
export const SHARE = 'experiments'
export const READ_ONLY_SHARE = 'archive'
export const SMALL_SHARE = 'small'

/** A real SMB server on loopback. */
export interface Samba {
  readonly host: string
  readonly username: string
  /** Local directory behind a share. */
  directory(share: string): string
  stop(): Promise<void>
}

/** Whether the server and its client are installed. @throws Error when they must be and are not. */
export function sambaIsInstalled(): boolean {
  const missing = ['smbd', 'smbpasswd', 'smbclient'].filter(
    (name) => spawnSync('sh', ['-c', `PATH=$PATH:/usr/sbin command -v ${name}`]).status !== 0,
  )
  if (missing.length > 0 && process.env['REQUIRE_PEERS'] === '1') throw new Error(`${missing.join(', ')} not installed`)
  return missing.length === 0
}

const PATH = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`
/** Room for a small file, not for 256 kB. */
const SMALL_SHARE_KB = 128

/** Starts smbd in a directory of its own, with one user and three shares: one to write to, one read-only, and one that is soon full,
 * which only root can make. */
export async function startSamba(): Promise<Samba> {
  const root = mkdtempSync(join(tmpdir(), 'benchlog-samba-'))
  const port = await freePort()
  const username = userInfo().username
  const directory = (share: string): string => join(root, 'shares', share)
  for (const share of [SHARE, READ_ONLY_SHARE, SMALL_SHARE]) mkdirSync(directory(share), { recursive: true })
  for (const name of ['private', 'lock', 'state', 'cache', 'pid', 'ncalrpc'])
    mkdirSync(join(root, name), { mode: 0o700 })
  const configuration = join(root, 'smb.conf')
  writeFileSync(configuration, smbConfiguration(root, port, directory))
  execFileSync('smbpasswd', ['-c', configuration, '-s', '-a', username], {
    input: `${PASSWORD}\n${PASSWORD}\n`,
    env: { PATH },
    stdio: ['pipe', 'ignore', 'pipe'],
  })
  const small = mountSmall(directory(SMALL_SHARE))
  // A session of its own: smbd forks a process per connection.
  const server = spawn(
    'smbd',
    ['--foreground', '--no-process-group', '--debug-stdout', `--configfile=${configuration}`],
    {
      env: { PATH },
      stdio: 'ignore',
      detached: true,
    },
  )
  const stop = async (): Promise<void> => {
    await ended(server)
    if (small) execFileSync('umount', [directory(SMALL_SHARE)], { env: { PATH } })
    rmSync(root, { recursive: true, force: true })
  }
  try {
    await listening(port, server)
  } catch (error) {
    await stop()
    throw error
  }
  return { host: `127.0.0.1:${port}`, username, directory, stop }
}

function smbConfiguration(root: string, port: number, directory: (share: string) => string): string {
  const share = (name: string, readOnly: boolean): string =>
    `[${name}]\n  path = ${directory(name)}\n  read only = ${readOnly ? 'yes' : 'no'}\n`
  return `[global]
  server role = standalone server
  smb ports = ${port}
  interfaces = lo
  bind interfaces only = yes
  private dir = ${root}/private
  lock directory = ${root}/lock
  state directory = ${root}/state
  cache directory = ${root}/cache
  pid directory = ${root}/pid
  ncalrpc dir = ${root}/ncalrpc
  passdb backend = tdbsam:${root}/private/passdb.tdb
  log file = ${root}/log
  server min protocol = SMB3
  map to guest = never
  load printers = no
  disable spoolss = yes
  strict sync = no
${share(SHARE, false)}${share(READ_ONLY_SHARE, true)}${share(SMALL_SHARE, false)}`
}

/** @returns whether this user may mount. */
function mountSmall(path: string): boolean {
  if (process.getuid?.() !== 0) return false
  return (
    spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${SMALL_SHARE_KB}k`, 'tmpfs', path], { env: { PATH } }).status === 0
  )
}

export const canMount = (): boolean => process.getuid?.() === 0

async function listening(port: number, server: ChildProcess): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    if (server.exitCode !== null) throw new Error(`smbd ended with status ${server.exitCode}`)
    const socket = connect(port, '127.0.0.1')
    const open = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    })
    socket.destroy()
    if (open) return
    await delay(50)
  }
  throw new Error(`smbd does not listen on port ${port}`)
}

async function ended(server: ChildProcess): Promise<void> {
  if (server.pid === undefined || server.exitCode !== null) return
  const exit = new Promise((resolve) => {
    server.once('exit', resolve)
  })
  process.kill(-server.pid, 'SIGTERM')
  await exit
}

/** A port that nobody listens on. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address()
      probe.close(() => (address !== null && typeof address === 'object' ? resolve(address.port) : reject(new Error())))
    })
  })
