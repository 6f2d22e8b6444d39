import type Database from 'better-sqlite3'

/** The writer's access to the table `retained`. It knows the row of every topic, because finding one by its name would cost as much as
 * inserting the event. */
export interface RetainedTable {
  /** Moves a topic on to a position, or forgets it (null). Within the transaction of the event. */
  set(topic: string, position: number | null): void
  /** After a transaction was rolled back: what it inserted is not there. */
  rolledBack(): void
}

export function openRetained(db: Database.Database): RetainedTable {
  const all = db.prepare<[], [topic: string, id: number]>('SELECT topic, id FROM retained').raw()
  const insert = db.prepare('INSERT INTO retained (topic, position) VALUES (?, ?)')
  const update = db.prepare('UPDATE retained SET position = ? WHERE id = ?')
  const remove = db.prepare('DELETE FROM retained WHERE id = ?')
  /** Undefined until they are read; within a transaction, where an error of the disk is dealt with. */
  let known: Map<string, number> | undefined
  return {
    set(topic, position) {
      known ??= new Map(all.all())
      const id = known.get(topic)
      if (position === null) {
        if (id !== undefined) remove.run(id)
        known.delete(topic)
      } else if (id === undefined) {
        known.set(topic, Number(insert.run(topic, position).lastInsertRowid))
      } else {
        update.run(position, id)
      }
    },
    rolledBack() {
      known = undefined
    },
  }
}
