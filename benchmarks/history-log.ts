import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { openForWriting } from '../event-log/database.js'
import { LogState } from '../event-log/log-state.js'
import { jobRecord, order, slotState } from '../test/projections/lab-events.js'

const START_MS = Date.parse('2026-11-20T09:00:00.000Z')

/** Makes a log of a unit that has measured so many runs, cancelled ones without files, and ended so many jobs. */
export function writeHistoryLog(path: string, count: number): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const log = openForWriting(path)
  const insert = log.prepare('INSERT INTO recorded VALUES (?, ?, ?, ?, 1, ?, ?, NULL)')
  let position = 0
  const add = ({ topic, payload }: { readonly topic: string; readonly payload?: unknown }): void => {
    position++
    insert.run(position, START_MS + position, topic, Buffer.from(JSON.stringify(payload)), 0, 'bench')
  }
  log.transaction(() => {
    for (let index = 1; index <= count; index++) {
      const timestamp = new Date(START_MS + index * 60_000).toISOString()
      const runId = `20261120T090000_${index.toString(16).padStart(6, '0')}`
      add(order(runId, { timestamp }))
      add(slotState(runId, 'cancelled', { started_at: timestamp, ended_at: timestamp }))
      add(jobRecord(index, { is_running: false, state: 'disconnected', started_at: timestamp, ended_at: timestamp }))
    }
    new LogState(log)
  })()
  log.close()
}
