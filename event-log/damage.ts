import Database from 'better-sqlite3'
import { type ErrorOptions, LabError } from '../events/core/errors.js'
import { LogDamaged } from '../events/system/errors.js'

/** @param options.details beside the path. */
export const logDamaged = (path: string, reason: string, options: ErrorOptions = {}): LabError =>
  new LogDamaged(`The event log ${path} is damaged: ${reason}.`, { ...options, details: { path, ...options.details } })

/** An event below the last one is not there. */
export class MissingEvent extends Error {
  constructor(position: number) {
    super(`position ${position} is missing`)
  }
}

/** Whether the file is not what it was, as opposed to a disk that is full or refuses. */
export const isDamage = (error: unknown): error is Error =>
  error instanceof MissingEvent ||
  error instanceof LogDamaged ||
  (error instanceof Database.SqliteError && /^SQLITE_(CORRUPT|NOTADB)/.test(error.code))

/** The error of work on the log at a path: named when it is damage. */
export const namedDamage = (path: string, error: unknown): unknown =>
  isDamage(error) && !(error instanceof LabError) ? logDamaged(path, error.message, { cause: error }) : error

/** Does work on the log at a path; damage that it meets is named. */
export function reportingDamage<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw namedDamage(path, error)
  }
}
