import { type NasReason, NasUnavailable } from './errors.js'

/** Texts that smbclient reads and writes. Source: smbclient(1), Samba 4.17. */

const STATUS = /NT_STATUS_[A-Z0-9_]+/

const REASONS: Readonly<Record<string, readonly [NasReason, string]>> = {
  NT_STATUS_LOGON_FAILURE: ['wrong_password', 'The server refuses this user name or password.'],
  NT_STATUS_ACCOUNT_DISABLED: ['wrong_password', "The user's account on the server is disabled."],
  NT_STATUS_ACCOUNT_LOCKED_OUT: ['wrong_password', "The user's account on the server is locked."],
  NT_STATUS_PASSWORD_EXPIRED: ['wrong_password', "The user's password on the server has expired."],
  NT_STATUS_BAD_NETWORK_NAME: ['no_share', 'The server has no share of this name.'],
  NT_STATUS_ACCESS_DENIED: ['not_permitted', 'The user may not write to the share.'],
  NT_STATUS_MEDIA_WRITE_PROTECTED: ['not_permitted', 'The share is read-only.'],
  NT_STATUS_DISK_FULL: ['full', 'The share is full.'],
  NT_STATUS_QUOTA_EXCEEDED: ['full', "The user's quota on the share is used up."],
  NT_STATUS_CONNECTION_REFUSED: ['unreachable', 'The host answers, but offers no SMB service on this port.'],
  NT_STATUS_IO_TIMEOUT: ['unreachable', 'The server stopped answering.'],
  NT_STATUS_CONNECTION_DISCONNECTED: ['unreachable', 'The server closed the connection.'],
  NT_STATUS_CONNECTION_RESET: ['unreachable', 'The server closed the connection.'],
  NT_STATUS_INVALID_NETWORK_RESPONSE: ['unreachable', 'The server does not speak SMB 3.'],
}

/** Why a session failed; null when its output names no error.
 * @param output what smbclient printed.
 * @param code its exit status. */
export function sessionError(output: string, code: number | null): NasUnavailable | null {
  const lines = output.split('\n').filter((line) => !isHarmless(line))
  const connect = lines.find((line) => line.startsWith('do_connect:'))
  const line = connect ?? lines.find((candidate) => STATUS.test(candidate))
  if (line === undefined) {
    if (code === 0) return null
    return new NasUnavailable('failed', `smbclient ended with status ${code}: ${lines.join(' ').trim().slice(0, 300)}`)
  }
  const status = STATUS.exec(line)?.[0] ?? ''
  const known = REASONS[status]
  if (known !== undefined) return new NasUnavailable(known[0], `${known[1]} (${status})`)
  if (connect !== undefined) return new NasUnavailable('unreachable', `The host cannot be reached. (${status})`)
  return new NasUnavailable('failed', line.trim().slice(0, 300))
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
