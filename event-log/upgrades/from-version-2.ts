import type Database from 'better-sqlite3'
import { copyEvents } from '../copy-events.js'
import { LogState } from '../log-state.js'
import { createSchema } from '../schema.js'
import type { UpgradeStep } from './upgrade-step.js'

/** Version 2: pages of 4096 bytes; a table `events` without packet identifiers; `retained(id, topic, position)` up to date at every
 * commit; no hash chain. */
export const fromVersion2: UpgradeStep = {
  from: 2,
  write(db, progress) {
    createSchema(db)
    const upTo = numberOf(db, 'SELECT coalesce(max(position), 0) FROM old.events')
    copyEvents(db, { table: 'events', messageId: 'NULL', upTo }, (position) => progress('copy', position))
    // Links the chain and folds the retained values.
    db.transaction(() => new LogState(db, (position) => progress('link', position)))()
  },
  compare(db) {
    const problems: string[] = []
    const events = numberOf(db, 'SELECT count(*) FROM old.events')
    const same = numberOf(
      db,
      `SELECT count(*) FROM old.events o JOIN main.recorded r ON r.position = o.position
       WHERE r.recorded_at = o.recorded_at AND r.topic = o.topic AND r.payload = o.payload AND r.qos = o.qos
         AND r.retain = o.retain AND r.client = o.client`,
    )
    if (same !== events) problems.push(`${same} of ${events} events are as they were.`)
    const linked = 'SELECT coalesce(max(position), 0) FROM main.links'
    // The tables agree on what the tail has not changed.
    const differing = numberOf(
      db,
      `SELECT count(*) FROM (SELECT topic, position FROM old.retained WHERE position <= (${linked})
       EXCEPT SELECT topic, position FROM main.retained)`,
    )
    if (differing !== 0) problems.push(`${differing} retained values are not those that were kept.`)
    return problems
  },
}

const numberOf = (db: Database.Database, sql: string): number => db.prepare<[], number>(sql).pluck().get() ?? 0
