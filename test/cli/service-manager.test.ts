import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { findServiceManager } from '../../cli/service-manager.js'
import { silentLogger } from '../support/silent-logger.js'
import { temporaryDirectory } from '../support/temporary-directory.js'
import { until } from '../support/until.js'

/** What systemd is for this test: a datagram socket whose messages are printed one a line. */
const RECEIVER = String.raw`
use Socket;
$| = 1;
socket(my $socket, PF_UNIX, SOCK_DGRAM, 0) or die;
bind($socket, sockaddr_un($ARGV[0])) or die;
print "listening\n";
while (defined recv($socket, my $message, 4096, 0)) { print "$message\n" }
`

let receiver: ChildProcess
let env: NodeJS.ProcessEnv
const received: string[] = []

beforeEach(async () => {
  const path = join(temporaryDirectory(), 'notify')
  receiver = spawn('perl', ['-e', RECEIVER, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  received.length = 0
  receiver.stdout?.on('data', (text: Buffer) => received.push(...text.toString().trim().split('\n')))
  await once(receiver.stdout as NonNullable<typeof receiver.stdout>, 'data')
  env = { ...process.env, NOTIFY_SOCKET: path, WATCHDOG_USEC: '60000' }
})
afterEach(() => {
  receiver.kill()
})

it('tells systemd that a unit is ready, lives and ends', async () => {
  const systemd = findServiceManager(env, silentLogger)
  systemd.ready()
  systemd.watch(() => true)
  await until(() => received.filter((message) => message === 'WATCHDOG=1').length >= 3, 'signs of life')
  systemd.ending()
  await until(() => received.includes('STOPPING=1'), 'the end')
  expect(received.indexOf('READY=1')).toBe(1)
})

it('says nothing of life while there is none', async () => {
  const systemd = findServiceManager(env, silentLogger)
  let asked = 0
  systemd.watch(() => {
    asked++
    return false
  })
  await until(() => asked >= 3, 'three chances')
  systemd.ready()
  await until(() => received.includes('READY=1'), 'what comes after them')
  expect(received).not.toContain('WATCHDOG=1')
})
