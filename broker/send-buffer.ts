import type { Duplex } from 'node:stream'
import { encodeAcknowledgements } from './publish-frame.codec.js'

/** Bytes that may wait for one connection. A unit sends some kB/s, so a client this far behind has stopped reading. */
const LIMIT_BYTES = 1024 * 1024
/** Replays (retained values, a session's backlog) stop here and go on when the socket has drained. */
const REPLAY_BYTES = 128 * 1024

/** The outgoing side of one connection. Frames leave in the order they were given. Live frames wait behind a replay; when more than
 * 1 MiB of them wait, in memory or in the socket, the connection is given up: one slow client slows no other down. */
export class SendBuffer {
  readonly #conn: Duplex
  readonly #giveUp: () => void
  readonly #fail: (error: unknown) => void
  #queue: Buffer[] = []
  /** Type and identifier of each acknowledgement of this turn. */
  #answers: number[] = []
  /** Bytes in the queue that came as live frames. */
  #liveBytes = 0
  #corked = false
  #closed = false
  #waitingForDrain = false
  #onWritable: (() => void) | undefined

  /** @param fail closes the connection because of an error of ours or of the client */
  constructor(conn: Duplex, giveUp: () => void, fail: (error: unknown) => void) {
    this.#conn = conn
    this.#giveUp = giveUp
    this.#fail = fail
  }

  /** A frame of the present: sent at once, or behind a replay in progress. */
  write(frame: Buffer): void {
    if (this.#closed) return
    if (this.#queue.length > 0) {
      this.#queue.push(frame)
      this.#liveBytes += frame.length
    } else {
      this.#send(frame)
    }
    if (Math.max(this.#liveBytes, this.#conn.writableLength) > LIMIT_BYTES) this.#giveUp()
  }

  /** Acknowledges a message of the client, ahead of what waits for it. What one turn acknowledges is one write. */
  acknowledge(type: number, messageId: number): void {
    if (this.#answers.length === 0) process.nextTick(() => this.contain(() => this.#answerAll()))
    this.#answers.push(type, messageId)
  }

  /** Answers a packet of the client, ahead of a replay in progress. */
  answer(frame: Buffer): void {
    if (this.#closed) return
    this.#send(frame)
    if (this.#conn.writableLength > LIMIT_BYTES) this.#giveUp()
  }

  /** Frames of the past: sent no faster than the client reads. More of them only while the send buffer is not full. */
  replay(frames: readonly Buffer[]): void {
    if (this.#closed) return
    for (const frame of frames) this.#queue.push(frame)
    this.#pump()
  }

  /** Does work for this connection alone: what it throws ends the connection, and nothing else. */
  contain(work: () => void): void {
    try {
      work()
    } catch (error) {
      this.fail(error)
    }
  }

  fail(error: unknown): void {
    if (!this.#closed) this.#fail(error)
  }

  get closed(): boolean {
    return this.#closed
  }

  /** Whether a replay should wait. */
  get full(): boolean {
    return this.#queue.length > 0 || this.#conn.writableLength > REPLAY_BYTES
  }

  /** Calls back once when the send buffer is no longer full. */
  whenWritable(listener: () => void): void {
    this.#onWritable = listener
    this.#pump()
  }

  /** Forgets what waits; nothing is written any more. */
  close(): void {
    this.#closed = true
    this.#queue = []
    this.#onWritable = undefined
  }

  #answerAll(): void {
    const answers = this.#answers
    this.#answers = []
    if (this.#closed) return
    this.#conn.write(encodeAcknowledgements(answers))
    if (this.#conn.writableLength > LIMIT_BYTES) this.#giveUp()
  }

  #pump(): void {
    if (this.#closed) return
    let sent = 0
    for (const frame of this.#queue) {
      if (this.#conn.writableLength > REPLAY_BYTES) break
      this.#send(frame)
      sent++
    }
    if (sent === this.#queue.length) {
      this.#queue = []
      this.#liveBytes = 0
    } else {
      this.#queue.splice(0, sent)
    }
    if (this.full) {
      this.#awaitDrain()
      return
    }
    const listener = this.#onWritable
    this.#onWritable = undefined
    listener?.()
  }

  #awaitDrain(): void {
    if (this.#waitingForDrain) return
    this.#waitingForDrain = true
    this.#conn.once('drain', () => {
      this.#waitingForDrain = false
      this.contain(() => this.#pump())
    })
  }

  #send(frame: Buffer): void {
    if (!this.#corked) {
      // One system call for all that one turn sends.
      this.#corked = true
      this.#conn.cork()
      process.nextTick(() => {
        this.#corked = false
        this.#conn.uncork()
      })
    }
    this.#conn.write(frame)
  }
}
