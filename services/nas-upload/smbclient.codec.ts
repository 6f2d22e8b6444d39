import type { DeclaredError, LabError } from '../../events/core/errors.js'
import { NoShare, NotPermitted, ShareFailed, ShareFull, ShareUnreachable, WrongPassword } from './errors.js'

/** Texts that smbclient reads and writes. Source: smbclient(1), Samba 4.17. */

const STATUS = /NT_STATUS_[A-Z0-9_]+/

const REASONS: Readonly<Record<string, readonly [DeclaredError, string]>> = {
  NT_STATUS_LOGON_FAILURE: [WrongPassword, 'The server refuses this user name or password.'],
  NT_STATUS_ACCOUNT_DISABLED: [WrongPassword, "The user's account on the server is disabled."],
  NT_STATUS_ACCOUNT_LOCKED_OUT: [WrongPassword, "The user's account on the server is locked."],
  NT_STATUS_PASSWORD_EXPIRED: [WrongPassword, "The user's password on the server has expired."],
  NT_STATUS_BAD_NETWORK_NAME: [NoShare, 'The server has no share of this name.'],
  NT_STATUS_ACCESS_DENIED: [NotPermitted, 'The user may not write to the share.'],
  NT_STATUS_MEDIA_WRITE_PROTECTED: [NotPermitted, 'The share is read-only.'],
  NT_STATUS_DISK_FULL: [ShareFull, 'The share is full.'],
  NT_STATUS_QUOTA_EXCEEDED: [ShareFull, "The user's quota on the share is used up."],
  NT_STATUS_CONNECTION_REFUSED: [ShareUnreachable, 'The host answers, but offers no SMB service on this port.'],
  NT_STATUS_IO_TIMEOUT: [ShareUnreachable, 'The server stopped answering.'],
  NT_STATUS_CONNECTION_DISCONNECTED: [ShareUnreachable, 'The server closed the connection.'],
  NT_STATUS_CONNECTION_RESET: [ShareUnreachable, 'The server closed the connection.'],
  NT_STATUS_INVALID_NETWORK_RESPONSE: [ShareUnreachable, 'The server does not speak SMB 3.'],
}

/** Why a session failed; null when its output names no error.
 * @param output what smbclient printed.
 * @param code its exit status. */
export function sessionError(output: string, code: number | null): LabError | null {
  const lines = output.split('\n').filter((line) => !isHarmless(line))
  const connect = lines.find((line) => line.startsWith('do_connect:'))
  const line = connect ?? lines.find((candidate) => STATUS.test(candidate))
  if (line === undefined) {
    if (code === 0) return null
    return new ShareFailed(`smbclient ended with status ${code}: ${lines.join(' ').trim().slice(0, 300)}`)
  }
  const status = STATUS.exec(line)?.[0] ?? ''
  const known = REASONS[status]
  if (known !== undefined) return new known[0](`${known[1]} (${status})`)
  if (connect !== undefined) return new ShareUnreachable(`The host cannot be reached. (${status})`)
  return new ShareFailed(line.trim().slice(0, 300))
}

/** A directory that is there already is what was wanted. */
const isHarmless = (line: string): boolean =>
  line.includes('NT_STATUS_OBJECT_NAME_COLLISION') && line.includes('making remote directory')

/** A name within a script. Callers pass names without quotation marks and control characters. */
export const quoted = (path: string): string => `"${path.replaceAll('/', '\\')}"`

const HEADING = /^\\(.+)$/
const ENTRY = /^ {2}(\S.*?) +([A-Za-z]*) +(\d+) {2}\S+ +\S+ +\d+ \d\d:\d\d:\d\d \d{4}$/

/** Sizes in bytes by path, from a recursive listing of `<root>/*`; paths relative to the root, posix. */
export function readListing(output: string, root: string): ReadonlyMap<string, number> {
  const sizes = new Map<string, number>()
  let directory = ''
  for (const line of output.split('\n')) {
    const heading = HEADING.exec(line)
    if (heading !== null) {
      const path = (heading[1] ?? '').replaceAll('\\', '/')
      directory = path === root ? '' : `${path.slice(root === '' ? 0 : root.length + 1)}/`
      continue
    }
    const [, name, attributes = '', size] = ENTRY.exec(line) ?? []
    if (name !== undefined && !attributes.includes('D')) sizes.set(directory + name, Number(size))
  }
  return sizes
}
