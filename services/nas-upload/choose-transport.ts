import { access, constants, readFile } from 'node:fs/promises'
import { createMountTransport } from './mount-rsync.js'
import { type RunCommand, runCommand } from './run-command.js'
import { createSmbclientTransport } from './smbclient.js'
import type { NasTransport } from './transport.js'

/** What a machine can do. */
export interface Machine {
  readonly isRoot: boolean
  hasProgram(name: string): Promise<boolean>
  /** Whether the kernel has the file system, or can load it. */
  hasCifs(): Promise<boolean>
}

/** Mounting where it is possible, since rsync resumes what an interruption left; else smbclient; null where neither is. */
export async function chooseTransport(machine: Machine, run: RunCommand = runCommand): Promise<NasTransport | null> {
  const mountable =
    machine.isRoot &&
    (await machine.hasProgram('mount.cifs')) &&
    (await machine.hasProgram('rsync')) &&
    (await machine.hasCifs())
  if (mountable) return createMountTransport(run)
  return (await machine.hasProgram('smbclient')) ? createSmbclientTransport(run) : null
}

/** `/sbin` is not on the path of every service. */
const PROGRAM_DIRECTORIES = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin']
const QUESTION_TIMEOUT_MS = 5000

/** The computer this process runs on. */
export const thisMachine: Machine = {
  isRoot: process.getuid?.() === 0,
  async hasProgram(name) {
    const found = await Promise.allSettled(
      PROGRAM_DIRECTORIES.map((directory) => access(`${directory}/${name}`, constants.X_OK)),
    )
    return found.some(({ status }) => status === 'fulfilled')
  },
  async hasCifs() {
    const fileSystems = await readFile('/proc/filesystems', 'utf8').catch(() => '')
    if (/\bcifs$/m.test(fileSystems)) return true
    const question = runCommand('modprobe', ['--dry-run', 'cifs'], { timeoutMs: QUESTION_TIMEOUT_MS })
    return question.then(
      ({ code }) => code === 0,
      () => false,
    )
  },
}
