import type { DeclaredError, LabError } from '../../events/core/errors.js'
import {
  NoShare,
  NotPermitted,
  ShareFailed,
  ShareFull,
  ShareUnreachable,
  ShareUnsupported,
  WrongPassword,
} from './errors.js'
import { type NasConfig, splitHost } from './nas-config.js'

/** Arguments and messages of mount.cifs and rsync. Sources: mount.cifs(8) of cifs-utils, rsync(1). */

/** The kernel's `3` is 3.0 or any later version, as smbclient has it; its `3.0` is that one alone, which servers refuse that insist on
 * 3.1.1. */
const kernelVersion = (version: string): string => (version === '3.0' ? '3' : version)

/** Options of `mount -t cifs`. Inode numbers of the server are not used: some servers give the same one to several files. */
export function mountArguments(
  config: NasConfig,
  mountPoint: string,
  { uid, gid, readOnly }: { readonly uid: number; readonly gid: number; readonly readOnly: boolean },
): readonly string[] {
  const { name, port } = splitHost(config.host)
  const options = [
    `credentials=${config.cred_path}`,
    `vers=${kernelVersion(config.cifs_vers)}`,
    'iocharset=utf8',
    `uid=${uid}`,
    `gid=${gid}`,
    'file_mode=0644',
    'dir_mode=0755',
    'noserverino',
    ...(port === null ? [] : [`port=${port}`]),
    ...(readOnly ? ['ro'] : []),
  ]
  return ['-t', 'cifs', `//${name}/${config.share}`, mountPoint, '-o', options.join(',')]
}

/** By errno from `mount error(<errno>): <text>` (Linux numbers). */
const MOUNT_REASONS: Readonly<Record<string, readonly [DeclaredError, string]>> = {
  2: [NoShare, 'The server has no share of this name.'],
  6: [NoShare, 'The server has no share of this name.'],
  13: [WrongPassword, 'The server refuses this user name or password.'],
  19: [ShareUnsupported, 'The kernel has no CIFS file system.'],
  79: [ShareUnsupported, 'The kernel cannot translate file names; it lacks the module nls_utf8.'],
  95: [ShareUnsupported, 'The server does not speak this version of SMB.'],
  101: [ShareUnreachable, 'The network of the host cannot be reached.'],
  110: [ShareUnreachable, 'The host does not answer.'],
  111: [ShareUnreachable, 'The host answers, but offers no SMB service on this port.'],
  112: [ShareUnreachable, 'The host is down.'],
  113: [ShareUnreachable, 'There is no route to the host.'],
  115: [ShareUnreachable, 'The host does not answer.'],
}

/** Why a mount failed. */
export function mountError(output: string): LabError {
  const text = output.trim().split('\n')[0] ?? ''
  const errno = /mount error\((\d+)\)/.exec(output)?.[1] ?? ''
  const known = MOUNT_REASONS[errno]
  if (known !== undefined) return new known[0](`${known[1]} (mount error ${errno})`)
  if (output.includes('could not resolve address')) {
    return new ShareUnreachable('The name of the host cannot be resolved.')
  }
  return new ShareFailed(`The share cannot be mounted: ${text.slice(0, 300)}`)
}

/** Copies the files named on standard input, NUL between them, and resumes what an earlier attempt left partial. */
export const rsyncArguments = (source: string, destination: string): readonly string[] => [
  '-a',
  '--partial',
  '--from0',
  '--files-from=-',
  '--',
  `${source}/`,
  `${destination}/`,
]

/** Why a copy failed. */
export function rsyncError(output: string, code: number | null): LabError {
  const line = output.split('\n').find((candidate) => candidate.startsWith('rsync')) ?? output.trim()
  if (line.includes('(28)') || line.includes('(122)')) return new ShareFull('The share is full.')
  if (line.includes('(13)') || line.includes('(30)')) {
    return new NotPermitted('The user may not write to the share.')
  }
  return new ShareFailed(`rsync ended with status ${code}: ${line.slice(0, 300)}`)
}
