import { createHash } from 'node:crypto'
import type { PagingEventLogReader } from '../event-log/reader.js'
import { pollUntil } from '../primitives/poll-until.js'
import type { Forwarder } from './forwarder.js'
import { type ConnectionOptions, connectPeer } from './peer-connection.js'
import type { Routes } from './routes.js'

/** Retained values come one after the other; so long after the last one there are no more. */
const QUIET_MS = 500
/** A peer that never ends is not asked any further. */
const LONGEST_MS = 30_000
const MOST_TOPICS = 200_000

/** Values sent at a time. */
const AT_ONCE = 200

/** Brings the retained values of the peer that lie under our own name to ours: what differs or is missing is sent, what should not be there
 * is cleared. @param look a connection to ask what is retained there
 * To be called when everything in the log is sent, so that no older value comes behind. */
export async function alignRetained(
  look: ConnectionOptions,
  forwarder: Forwarder,
  reader: PagingEventLogReader,
  { ownFilters, isForwarded }: Routes,
): Promise<void> {
  const theirs = await readRetained(look, ownFilters)
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

/** What the peer retains, by topic; asked on a connection of its own, which ends with it: no message comes on two subscriptions of one. */
async function readRetained(options: ConnectionOptions, filters: readonly string[]): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  const connection = await connectPeer(options)
  let last = performance.now()
  await connection.subscribe(filters, ({ topic, payload, retain }) => {
    if (!retain || found.size >= MOST_TOPICS) return
    found.set(topic, digest(payload))
    last = performance.now()
  })
  const over = pollUntil(
    { limitMs: LONGEST_MS, everyMs: 50 },
    () => performance.now() - last > QUIET_MS,
    (isQuiet) => isQuiet,
  )
  await Promise.race([over, connection.ended])
  await connection.leave()
  return found
}

const digest = (payload: Uint8Array): string => createHash('sha1').update(payload).digest('base64')
