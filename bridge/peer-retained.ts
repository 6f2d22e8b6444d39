import { createHash } from 'node:crypto'
import type { PagingEventLogReader } from '../event-log/reader.js'
import type { Forwarder } from './forwarder.js'
import type { PeerConnection } from './peer-connection.js'
import type { Routes } from './routes.js'

/** Retained values come one after the other; so long after the last one there are no more. */
const QUIET_MS = 500
/** A peer that never ends is not asked any further. */
const LONGEST_MS = 30_000
const MOST_TOPICS = 200_000

/** Values sent at a time. */
const AT_ONCE = 200

/** Brings the retained values of the peer that lie under our own name to ours: what differs or is missing is sent, what should not be there
 * is cleared. To be called when everything in the log is sent, so that no older value comes behind. */
export async function alignRetained(
  connection: PeerConnection,
  forwarder: Forwarder,
  reader: PagingEventLogReader,
  { ownFilters, isForwarded }: Routes,
): Promise<void> {
  const theirs = await readRetained(connection, ownFilters)
  const wrong: [topic: string, payload: Uint8Array][] = []
  for (const filter of ownFilters) {
    for (const { position, topic, payload } of reader.retained(filter)) {
      const known = theirs.get(topic)
      theirs.delete(topic)
      // Values that came meanwhile are sent in their turn.
      if (position > forwarder.looked || !isForwarded(topic) || known === digest(payload)) continue
      wrong.push([topic, payload])
    }
  }
  for (const topic of theirs.keys()) if (isForwarded(topic)) wrong.push([topic, new Uint8Array()])
  for (let at = 0; at < wrong.length; at += AT_ONCE) {
    await Promise.all(wrong.slice(at, at + AT_ONCE).map(([topic, payload]) => forwarder.sendAgain(topic, payload)))
  }
}

/** What the peer retains, by topic. */
function readRetained(connection: PeerConnection, filters: readonly string[]): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  return new Promise((resolve) => {
    const begun = performance.now()
    let quiet: NodeJS.Timeout
    const end = (): void => {
      clearTimeout(quiet)
      connection.unsubscribe(filters)
      resolve(found)
    }
    const wait = (): void => {
      clearTimeout(quiet)
      quiet = setTimeout(end, performance.now() - begun < LONGEST_MS ? QUIET_MS : 0)
    }
    void connection.ended.then(end)
    void connection
      .subscribe(filters, ({ topic, payload, retain }) => {
        if (!retain || found.size >= MOST_TOPICS) return
        found.set(topic, digest(payload))
        wait()
      })
      .then(wait)
  })
}

const digest = (payload: Uint8Array): string => createHash('sha1').update(payload).digest('base64')
