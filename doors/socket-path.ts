import { closeSync, constants, openSync } from 'node:fs'
import { basename, dirname } from 'node:path'

/** Longest path a Unix socket address holds (sun_path without its NUL, unix(7)). */
const MAX_SOCKET_PATH = 107

/** Runs work with a path short enough for a socket address: a longer one is reached through an open descriptor of its directory.
 * The work must have bound or connected the socket by the time it returns. */
export function withSocketPath<T>(path: string, work: (path: string) => T): T {
  if (Buffer.byteLength(path) <= MAX_SOCKET_PATH) return work(path)
  const directory = openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    return work(`/proc/self/fd/${directory}/${basename(path)}`)
  } finally {
    closeSync(directory)
  }
}
