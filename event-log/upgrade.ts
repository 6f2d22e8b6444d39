import { linkSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import Database from 'better-sqlite3'
import { defineError } from '../events/core/errors.js'
import { syncToDisk } from '../primitives/replace-file.js'
import { finishCopy } from './finish-copy.js'
import { lackOfRoom } from './room.js'
import { SCHEMA_VERSION } from './schema.js'
import { UPGRADE_STEPS } from './upgrades/index.js'
import type { UpgradeStep } from './upgrades/upgrade-step.js'

/** The log cannot be brought into this version's format; it stays as it is. */
export const LogNotUpgraded = defineError(
  'log.not_upgraded',
  'state',
  'The event log of an older version cannot be written anew for this one.',
)

/** What an upgrade is about, in order. */
export type UpgradeStage = 'copy' | 'link' | 'compare' | 'keep' | 'place'

export interface UpgradeProgress {
  readonly stage: UpgradeStage
  /** Version that is being written. */
  readonly version: number
  /** Events the stage is through with, of so many. */
  readonly position: number
  readonly last: number
}

/** Links come every thousand events; so often they are reported. */
const TELL_EVENTS = 250_000
const DRAFT_SUFFIX = '.upgrade'

/** Whether a log of this version can be made into one of the present. */
export const canUpgrade = (version: number): boolean => UPGRADE_STEPS.some(({ from }) => from === version)

/** Writes a log of an older version anew in the present one, compares it, and puts it in its place; the old file is kept beside it under
 * the name of its version. Nobody else may have the log open. Interrupted at any moment, it is begun again: until the last step the old
 * file stands where it stood.
 * @throws LogNotUpgraded when there is no room, or the copy is not what it should be */
export function upgradeLog(path: string, progress: (progress: UpgradeProgress) => void = () => undefined): void {
  const original = versionAndLast(path)
  checkRoom(path)
  let source = path
  for (const step of UPGRADE_STEPS.filter(({ from }) => from >= original.version)) {
    const draft = `${path}${DRAFT_SUFFIX}.v${step.from + 1}`
    remove(draft)
    takeStep(step, source, draft, (stage, position) => {
      progress({ stage, version: step.from + 1, position, last: original.last })
    })
    if (source !== path) remove(source)
    source = draft
  }
  const at = { version: SCHEMA_VERSION, position: original.last, last: original.last }
  progress({ stage: 'keep', ...at })
  keep(path, original.version)
  progress({ stage: 'place', ...at })
  renameSync(source, path)
  syncToDisk(dirname(path))
}

/** The last commits of the old log come into its file: the file beside it would be taken for that of the new log. */
function versionAndLast(path: string): { readonly version: number; readonly last: number } {
  const db = new Database(path, { timeout: 0 })
  try {
    db.pragma('journal_mode = DELETE')
    return {
      version: db.pragma('user_version', { simple: true }) as number,
      last: db.prepare<[], number>('SELECT coalesce(max(position), 0) FROM events').pluck().get() ?? 0,
    }
  } catch (cause) {
    if (!(cause instanceof Database.SqliteError) || cause.code !== 'SQLITE_BUSY') throw cause
    throw new LogNotUpgraded(`The event log ${path} must be upgraded, but another program has it open.`, {
      cause,
      remediation: 'Stop everything that reads this log, and start again.',
    })
  } finally {
    db.close()
  }
}

function checkRoom(path: string): void {
  const room = lackOfRoom(path)
  if (room === null) return
  const { neededBytes, freeBytes } = room
  throw new LogNotUpgraded(
    `The event log ${path} must be written anew for this version: that needs ${neededBytes} bytes beside it, and ${freeBytes} are free.`,
    {
      remediation: `Make room on the disk of ${dirname(path)}, and start again; the log stays as it is until then.`,
      details: { path, needed_bytes: neededBytes, free_bytes: freeBytes },
    },
  )
}

function takeStep(
  step: UpgradeStep,
  source: string,
  draft: string,
  progress: (stage: UpgradeStage, position: number) => void,
): void {
  const db = new Database(draft)
  try {
    // A draft that was not finished is thrown away: nothing needs to survive a crash before the end.
    db.pragma('journal_mode = OFF')
    db.pragma('synchronous = OFF')
    db.prepare('ATTACH ? AS old').run(source)
    let linked = 0
    step.write(db, (stage, position) => {
      if (stage === 'link') {
        if (position < linked + TELL_EVENTS) return
        linked = position
      }
      progress(stage, position)
    })
    progress('compare', 0)
    const problems = step.compare(db)
    if (problems.length > 0) {
      throw new LogNotUpgraded(`The event log ${source} could not be copied: ${problems.join(' ')}`, {
        remediation: 'Run benchlog verify with the version of the program that wrote it.',
      })
    }
  } finally {
    db.close()
  }
  finishCopy(draft)
}

/** Gives the old file a second name; one that an earlier upgrade has kept is not overwritten. */
function keep(path: string, version: number): void {
  for (let copy = 1; ; copy++) {
    const kept = `${path.replace(/\.db$/, '')}.v${version}${copy === 1 ? '' : `-${copy}`}.db`
    const found = statSync(kept, { throwIfNoEntry: false })
    // An interrupted upgrade has come this far before.
    if (found?.ino === statSync(path).ino) return
    if (found === undefined) {
      linkSync(path, kept)
      return
    }
  }
}

function remove(path: string): void {
  for (const suffix of ['', '-journal', '-wal', '-shm']) rmSync(`${path}${suffix}`, { force: true })
}
