import type { PagingEventLogReader } from '../event-log/reader.js'
import type { Alarm } from '../primitives/alarm.js'
import { deadline } from '../primitives/deadline.js'
import { realTime } from '../primitives/timer.js'
import { readCursor, writeCursor } from './cursor-file.js'
import { Forwarder } from './forwarder.js'
import type { Imports } from './imports.js'
import { type Peer, peerName } from './peer.js'
import { connectPeer, type PeerConnection } from './peer-connection.js'
import { alignRetained } from './peer-retained.js'
import type { Routes } from './routes.js'
import { recordedAt, whereToBegin } from './where-to-begin.js'

export interface BridgeOptions {
  readonly peer: Peer
  readonly unit: string
  readonly ownPort: number
  readonly routes: Routes
  readonly importer: string
  readonly cursorPath: string
  /** Last position of the log when the unit started. */
  readonly floor: number
}

export interface BridgeStatus {
  readonly connected: boolean
  /** Why there is no connection; null while there is one, and before the first attempt has ended. */
  readonly reason: string | null
  /** The peer has acknowledged everything up to here. */
  readonly position: number
  /** Events sent more than once since the start. */
  readonly repeated: number
}

const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 30_000
/** The cursor is saved after so many events, once a second at most, or after so long: what came since is sent again after a kill. */
const SAVE_EVENTS = 1000
const SAVE_MS = 10_000
/** What a peer, or a library, says of an error may be long. */
const MOST_REASON_CHARACTERS = 300
/** The last acknowledgements at the end. */
const SETTLE_MS = 1000

/** The way of the log's events to one peer, and of its orders to us. */
export class Bridge {
  readonly #reader: PagingEventLogReader
  readonly #options: BridgeOptions
  readonly #imports: Imports | null
  #position: number
  #highestSent: number
  #repeated = 0
  #forwarder: Forwarder | undefined
  #connected = false
  #reason: string | null = null
  #saved: number
  #savedAt = performance.now()
  #saving: Promise<void> | undefined

  /** @throws InvalidInput, LogDamaged when the file of the cursor or the log cannot be read */
  constructor(reader: PagingEventLogReader, options: BridgeOptions, imports: Imports | null) {
    this.#reader = reader
    this.#imports = imports
    this.#options = options
    const cursor = readCursor(options.cursorPath)
    this.#position = whereToBegin(reader, cursor, options.floor)
    this.#highestSent = this.#position
    // A new peer's is saved at once: what it is owed begins here.
    this.#saved = cursor === null ? -1 : this.#position
  }

  status(): BridgeStatus {
    const { position } = this.#forwarder ?? { position: this.#position }
    const reason = this.#reason?.trim().slice(0, MOST_REASON_CHARACTERS) ?? null
    return { connected: this.#connected, reason, position, repeated: this.#repeated }
  }

  /** Tells the peer a retained value once more, if there is a connection: at the next one it is told anyway. */
  sayAgain(topic: string, payload: string): void {
    void this.#forwarder?.sendAgain(topic, Buffer.from(payload))
  }

  /** Connects, sends, and connects again, until it is stopped. */
  async run(alarm: Alarm, stop: AbortSignal): Promise<void> {
    await this.#save()
    const saving = setInterval(() => this.#saveIfDue(), 1000)
    let pauseMs = FIRST_PAUSE_MS
    try {
      while (!stop.aborted) {
        const before = this.#position
        await this.#oneConnection(alarm, stop).catch((error: unknown) => {
          this.#reason = error instanceof Error ? error.message : String(error)
        })
        pauseMs = this.#position > before ? FIRST_PAUSE_MS : Math.min(2 * pauseMs, LONGEST_PAUSE_MS)
        if (!stop.aborted) await realTime.sleepUntil(realTime.monotonicMs() + pauseMs, stop)
      }
    } finally {
      clearInterval(saving)
      await this.#saving
      await this.#save()
    }
  }

  async #oneConnection(alarm: Alarm, stop: AbortSignal): Promise<void> {
    const { peer, unit, ownPort, routes, importer } = this.#options
    const clientId = `benchlog-${unit}`
    const connection = await connectPeer({ peer, clientId, ownPort })
    const forwarder = new Forwarder(connection, {
      reader: this.#reader,
      routes,
      importer,
      from: this.#position,
      onSent: (position) => this.#count(position),
    })
    this.#forwarder = forwarder
    this.#connected = true
    this.#reason = null
    try {
      this.#imports?.begin()
      if (this.#imports !== null) {
        await connection.subscribe(routes.importFilters, (message) => this.#imports?.take(message))
      }
      const look = { peer, clientId: `${clientId}-look`, ownPort }
      await forwarder.run(
        alarm,
        stop,
        once(() => alignRetained(look, forwarder, this.#reader, routes)),
      )
      if (stop.aborted) await this.#leave(connection, forwarder)
      else this.#reason = await connection.ended
    } finally {
      connection.drop('the bridge left it')
      this.#connected = false
      this.#position = forwarder.position
      this.#forwarder = undefined
    }
  }

  async #leave(connection: PeerConnection, forwarder: Forwarder): Promise<void> {
    await deadline(SETTLE_MS, forwarder.settled(), () => undefined)
    await connection.leave()
  }

  #count(position: number): void {
    if (position <= this.#highestSent) this.#repeated++
    else this.#highestSent = position
  }

  #saveIfDue(): void {
    const { position } = this.status()
    if (this.#saving !== undefined || position === this.#saved) return
    if (position - this.#saved < SAVE_EVENTS && performance.now() - this.#savedAt < SAVE_MS) return
    this.#saving = this.#save().finally(() => {
      this.#saving = undefined
    })
  }

  /** A cursor that cannot be saved costs repetitions after a kill, and nothing else: it is tried again. */
  async #save(): Promise<void> {
    const { position } = this.status()
    if (position === this.#saved) return
    const { peer, cursorPath } = this.#options
    const cursor = { peer: peerName(peer), position, recorded_at: recordedAt(this.#reader, position) }
    this.#savedAt = performance.now()
    await writeCursor(cursorPath, cursor).then(
      () => {
        this.#saved = position
      },
      () => undefined,
    )
  }
}

/** Does the work the first time only. */
function once(work: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined
  return () => {
    done ??= work()
    return done
  }
}
