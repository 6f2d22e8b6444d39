import Database from 'better-sqlite3'
import { type ErrorOptions, LabError } from '../events/core/errors.js'

/** A part of the log's file cannot be read: the disk lost it, or another program wrote into it. */
export class LogDamaged extends LabError {
  constructor(path: string, reason: string, options: Omit<ErrorOptions, 'remediation'> = {}) {
    super('log.damaged', 'state', `The event log ${path} is damaged: ${reason}.`, {
      remediation:
        'Stop the unit. benchlog verify says what is wrong; benchlog repair keeps the events before the damage.',
      ...options,
      details: { path, ...options.details },
    })
  }
}

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
  isDamage(error) && !(error instanceof LabError) ? new LogDamaged(path, error.message, { cause: error }) : error

/** Does work on the log at a path; damage that it meets is named. */
export function reportingDamage<T>(path: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw namedDamage(path, error)
  }
}
