import type { Client } from 'aedes'
import { MAX_PACKET_BYTES } from '../events/limits.js'
import { internals } from './aedes-internals.js'
import { handlePacket, type PacketHandler, typeOf } from './client-packets.codec.js'
import { type ConnectPacket, decodeConnect } from './connect.codec.js'
import { contain, fail } from './containment.js'
import { type PacketRange, PacketStream } from './packet-stream.js'
import { ProtocolViolation } from './protocol-violation.js'
import type { SteppedWork, Turns } from './turns.js'

const CONNECT_TYPE = 1
const SUBSCRIBE_TYPE = 8
const UNSUBSCRIBE_TYPE = 10

/** CONNACK return codes, MQTT 3.1.1 §3.2.2.3. */
const UNACCEPTABLE_VERSION = 1
export const IDENTIFIER_REJECTED = 2

/** A client id is repeated in every event it causes. */
export const MAX_CLIENT_ID_BYTES = 256

/** One client's packets are handled so long; the rest waits until others had their turn. */
const SLICE_MS = 1
/** After so many bytes the clock is looked at: some tens of messages, or one long list of filters. */
const SLICE_LOOK_BYTES = 4096

/** What a client sends: every packet is checked here before anybody acts on it. Aedes gets CONNECT, decoded; all that follows goes to
 * the handler. What comes before the client is fully connected waits until it is. A malformed packet, or one that is too long, closes
 * the connection. */
export class ClientPackets implements SteppedWork {
  readonly #client: Client
  readonly #turns: Turns
  readonly #handlerOf: () => PacketHandler | undefined
  readonly #stream = new PacketStream(limitOf)
  #begun = false
  #connectCame = false
  /** Packets wait for their turn. */
  #waiting = false
  /** Reasons for which nothing is read. */
  #holds = 0

  /** @param handlerOf of the client when it is connected */
  constructor(client: Client, turns: Turns, handlerOf: () => PacketHandler | undefined) {
    this.#client = client
    this.#turns = turns
    this.#handlerOf = handlerOf
    client.once('connected', () => contain(client, () => this.#handleSlice()))
    internals(client)._parser.parse = (chunk) => {
      contain(client, () => this.#receive(chunk))
      return 0
    }
  }

  /** Stops reading from the connection, until `resume` was called as often. */
  pause(): void {
    if (this.#holds++ === 0) internals(this.#client).pause()
  }

  resume(): void {
    if (--this.#holds === 0 && !this.#client.closed) internals(this.#client).resume()
  }

  step(): boolean {
    if (this.#handlePackets()) return true
    this.#waiting = false
    this.resume()
    return false
  }

  fail(error: unknown): void {
    fail(this.#client, error)
  }

  #receive(chunk: Buffer): void {
    // At the first byte, because the length of what is not MQTT would be waited for.
    if (!this.#begun && typeOf(chunk[0] ?? 0) !== CONNECT_TYPE) {
      throw new ProtocolViolation('the first packet is not CONNECT', '3.1.0-1')
    }
    this.#begun = true
    this.#stream.push(chunk)
    this.#handleSlice()
  }

  #handleSlice(): void {
    if (this.#waiting || !this.#handlePackets()) return
    this.#waiting = true
    this.pause()
    this.#turns.add(this)
  }

  /** @returns whether more packets wait */
  #handlePackets(): boolean {
    const client = this.#client
    const end = performance.now() + SLICE_MS
    let handled = false
    let bytes = 0
    try {
      while (!client.closed && !client.conn.destroyed && (client.connected || !this.#connectCame)) {
        const packet = this.#stream.next()
        if (packet === undefined) return false
        // Before it is handled: what asks for the next packet meanwhile overwrites this one.
        bytes += packet.to - packet.from
        this.#handle(packet)
        handled = true
        if (bytes < SLICE_LOOK_BYTES) continue
        if (performance.now() >= end) return true
        bytes = 0
      }
    } finally {
      // Whole packets count, not bytes [MQTT-3.1.2-24].
      if (handled) internals(client)._keepaliveTimer?.refresh()
    }
    return false
  }

  #handle(packet: PacketRange): void {
    if (this.#connectCame) {
      const handler = this.#handlerOf()
      if (handler !== undefined) handlePacket(packet, this.#client.version, handler)
      return
    }
    this.#connectCame = true
    connect(this.#client, packet.bytes.subarray(packet.from, packet.to))
  }
}

/** Filters for a client's whole allowance fit in one packet, unless they are uncommonly long. What is not PUBLISH or CONNECT has to be
 * worked through field by field, at once. */
const MAX_REQUEST_BYTES = 64 * 1024

const limitOf = (first: number): number =>
  typeOf(first) === SUBSCRIBE_TYPE || typeOf(first) === UNSUBSCRIBE_TYPE ? MAX_REQUEST_BYTES : MAX_PACKET_BYTES

function connect(client: Client, bytes: Buffer): void {
  const packet = decodeConnect(bytes)
  if (packet === 'unsupported') {
    refuse(client, UNACCEPTABLE_VERSION, 'another protocol version than MQTT 3.1.1 and 3.1')
  } else if (!isIdentified(packet)) {
    refuse(client, IDENTIFIER_REJECTED, `a client id that is too long, or empty for a session that is kept`)
  } else {
    internals(client)._parser.emit('packet', { cmd: 'connect', ...packet })
  }
}

/** Aedes would invent an id and keep a session nobody can ever come back to [MQTT-3.1.3-8]. */
function isIdentified({ protocolVersion, clientId, clean }: ConnectPacket): boolean {
  const bytes = Buffer.byteLength(clientId)
  return bytes > 0 ? bytes <= MAX_CLIENT_ID_BYTES : clean && protocolVersion === 4
}

/** Answers CONNECT with a return code and closes the connection [MQTT-3.2.2-5]. */
function refuse(client: Client, returnCode: number, reason: string): void {
  internals(client).pause()
  client.conn.end(Buffer.of(0x20, 2, 0, returnCode), () => client.emit('error', new ProtocolViolation(reason)))
}

/** The client says goodbye: its will is not published [MQTT-3.14.4-3]. */
export const sayGoodbye = (client: Client): void => {
  internals(client)._parser.emit('packet', { cmd: 'disconnect' })
}
