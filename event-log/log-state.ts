import type Database from 'better-sqlite3'
import { type Batch, type BatchEvent, payloadsOf } from './batch.js'
import { HashChain, PackedNumbers } from './hash-chain.js'
import { hashed, stretchesAfter } from './recorded-rows.js'
import { RetainedChanges } from './retained-changes.js'
import { UnreleasedMessages } from './unreleased-messages.js'

/** Events after which what follows from them is written. The fewer, the more pages an event costs; the more, the longer is the tail that
 * a start and every reader of retained values go through. */
const LINK_EVENTS = 1000
/** Where nearly every event changed another topic, writing the topics would cost more than writing the events: then the tail grows longer,
 * up to this many events, which a start reads in 20 ms. */
const MOST_LINK_EVENTS = 10_000
/** Events per changed topic from which the topics are cheap beside the events. */
const CHEAP_EVENTS_PER_TOPIC = 4
/** The tail is hashed again at a start: no more than so many bytes. */
const LINK_BYTES = 4 * 1024 * 1024

/** What follows from the events and is written now and then: retained values, unreleased identifiers, the hash chain. Within the
 * transaction of the events; after a rollback it is read from the log again. */
export class LogState {
  readonly #retained: RetainedChanges
  readonly #unreleased: UnreleasedMessages
  readonly #chain: HashChain
  readonly #insertLink: Database.Statement
  #position: number
  #events = 0
  #bytes = 0

  /** Reads the last link and the events since: a start costs the same however long the log is. Where they are many, because they were
   * copied from elsewhere, they get their links here. */
  constructor(db: Database.Database, progress: (position: number) => void = () => undefined) {
    this.#retained = new RetainedChanges(db)
    this.#unreleased = new UnreleasedMessages(db)
    this.#insertLink = db.prepare('INSERT INTO links VALUES (?, ?)')
    const last = db
      .prepare<[], { position: number; hash: Buffer }>(
        'SELECT position, hash FROM links ORDER BY position DESC LIMIT 1',
      )
      .get()
    this.#chain = new HashChain(last?.hash)
    this.#position = last?.position ?? 0
    for (const rows of stretchesAfter(db, this.#position)) {
      for (const [, , topic, payload, , retain] of rows) this.#count(topic, payload, retain === 1)
      this.#chain.add(hashed(rows))
      if (this.#writeIfDue()) progress(this.#position)
    }
  }

  /** Takes up a batch whose rows are inserted, and writes itself when that is due. */
  take(batch: Batch, events: readonly BatchEvent[]): void {
    const { recordedAt, text, releases } = batch
    const numbers = new PackedNumbers(events.length)
    // Nearly always: then the length of a text is that of its bytes.
    const isAscii = Buffer.byteLength(text) === text.length
    let next = 0
    let index = 0
    for (const { topic, client, payload, qos, retain, messageId } of events) {
      for (; releases[next]?.index === index; next++) this.#release(releases[next])
      index++
      numbers.add(recordedAt, messageId, qos, retain)
      if (isAscii) numbers.addLengths(topic.length, client.length, payload.length)
      else numbers.addLengths(Buffer.byteLength(topic), Buffer.byteLength(client), payload.length)
      this.#count(topic, payload, retain)
      if (messageId > 0) this.#unreleased.add(client, messageId, this.#position)
    }
    for (; next < releases.length; next++) this.#release(releases[next])
    this.#chain.add({ numbers: numbers.bytes, text, payloads: payloadsOf(batch) })
    this.#writeIfDue()
  }

  #release(placed: Batch['releases'][number] | undefined): void {
    if (placed !== undefined) this.#unreleased.release(placed.release)
  }

  #count(topic: string, payload: Uint8Array, retain: boolean): void {
    this.#position++
    this.#events++
    this.#bytes += payload.length
    if (retain) this.#retained.keep(topic, this.#position, payload.length)
  }

  /** @returns whether it was */
  #writeIfDue(): boolean {
    if (!this.#isDue()) return false
    this.#retained.write()
    this.#unreleased.write()
    this.#insertLink.run(this.#position, this.#chain.link(this.#position))
    this.#events = 0
    this.#bytes = 0
    return true
  }

  #isDue(): boolean {
    if (this.#events >= MOST_LINK_EVENTS || this.#bytes >= LINK_BYTES) return true
    return this.#events >= LINK_EVENTS && this.#events >= CHEAP_EVENTS_PER_TOPIC * this.#retained.topics
  }
}
