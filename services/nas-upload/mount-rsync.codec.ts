import { type NasReason, NasUnavailable } from './errors.js'
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

/** By errno as `mount error(<errno>): <text>` tells it (Linux numbers). */
const MOUNT_REASONS: Readonly<Record<string, readonly [NasReason, string]>> = {
  2: ['no_share', 'The server has no share of this name.'],
  6: ['no_share', 'The server has no share of this name.'],
  13: ['wrong_password', 'The server refuses this user name or password.'],
  19: ['unsupported', 'The kernel has no CIFS file system.'],
  79: ['unsupported', 'The kernel cannot translate file names; it lacks the module nls_utf8.'],
  95: ['unsupported', 'The server does not speak this version of SMB.'],
  101: ['unreachable', 'The network of the host cannot be reached.'],
  110: ['unreachable', 'The host does not answer.'],
  111: ['unreachable', 'The host answers, but offers no SMB service on this port.'],
  112: ['unreachable', 'The host is down.'],
  113: ['unreachable', 'There is no route to the host.'],
  115: ['unreachable', 'The host does not answer.'],
}

/** Why a mount failed. */
export function mountError(output: string): NasUnavailable {
  const text = output.trim().split('\n')[0] ?? ''
  const errno = /mount error\((\d+)\)/.exec(output)?.[1] ?? ''
  const known = MOUNT_REASONS[errno]
  if (known !== undefined) return new NasUnavailable(known[0], `${known[1]} (mount error ${errno})`)
  if (output.includes('could not resolve address')) {
    return new NasUnavailable('unreachable', 'The name of the host cannot be resolved.')
  }
  return new NasUnavailable('failed', `The share cannot be mounted: ${text.slice(0, 300)}`)
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
export function rsyncError(output: string, code: number | null): NasUnavailable {
  const line = output.split('\n').find((candidate) => candidate.startsWith('rsync')) ?? output.trim()
  if (line.includes('(28)') || line.includes('(122)')) return new NasUnavailable('full', 'The share is full.')
  if (line.includes('(13)') || line.includes('(30)')) {
    return new NasUnavailable('not_permitted', 'The user may not write to the share.')
  }
  return new NasUnavailable('failed', `rsync ended with status ${code}: ${line.slice(0, 300)}`)
}
