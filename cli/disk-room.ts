import { existsSync, statfsSync } from 'node:fs'
import { dirname } from 'node:path'
import { defineError, type LabError } from '../events/core/errors.js'

const NoRoom = defineError('home.no_room', 'state', 'The disk of the data directory is too full for a start.')

/** The log's and the read models' write-ahead files grow to 4 MiB each before they are written back. */
const START_MIB = 16
const MIB = 1024 * 1024

const NO_ROOM = new Set<unknown>(['ENOSPC', 'EDQUOT', 'SQLITE_FULL'])

/** @throws NoRoom when the disk is too full for a start. */
export function requireRoom(home: string): void {
  if (freeMib(home) < START_MIB) throw noRoom(home)
}

/** An error for want of room in terms of the data directory; any other error as it is. */
export function roomProblem(home: string, error: unknown): unknown {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ('code' in cause && NO_ROOM.has(cause.code)) return noRoom(home, error)
  }
  return error
}

function noRoom(home: string, cause?: unknown): LabError {
  const free = freeMib(home).toFixed(1)
  const message = `BENCHLOG_HOME: the disk of ${home} has ${free} MiB free; a start needs ${START_MIB} MiB.`
  return new NoRoom(message, {
    cause,
    remediation: 'Make room there, then start again; the log is whole.',
  })
}

/** Of a directory that may not exist yet. */
function freeMib(path: string): number {
  if (!existsSync(path)) return freeMib(dirname(path))
  const { bavail, bsize } = statfsSync(path)
  return (bavail * bsize) / MIB
}
