import { join } from 'node:path'
import Database from 'better-sqlite3'

/** Inserts rows as long as the log's, each in a durable transaction of its own: `bare-insert.js <directory> <page size>`. Tells its parent
 * that it is ready, is told how many, and tells when they are in. */
const [directory = '', pageBytes = ''] = process.argv.slice(2)
const db = new Database(join(directory, 'bare.db'))
db.pragma(`page_size = ${pageBytes}`)
db.pragma('journal_mode = WAL')
db.pragma('synchronous = FULL')
db.pragma('wal_autocheckpoint = 4000')
db.exec('CREATE TABLE t (position INTEGER PRIMARY KEY, at INTEGER, topic TEXT, payload BLOB, qos, retain, client TEXT)')
const insert = db.prepare('INSERT INTO t VALUES (NULL, ?, ?, ?, 1, 1, ?)')
const payload = Buffer.alloc(60, '0')
process.on('message', (count: number) => {
  for (let i = 0; i < count; i++) {
    insert.run(Date.now(), `pioreactor/u1/bench/job_000/setting_${String(i % 100).padStart(3, '0')}`, payload, 'bench')
  }
  process.send?.('done')
})
process.once('disconnect', () => process.exit())
process.send?.('ready')
