import type { Socket } from 'node:net'
import { type IClientOptions, MqttClient } from 'mqtt'
import type { Qos } from '../events/event.js'
import { MAX_PACKET_BYTES } from '../events/limits.js'
import { deadline } from '../primitives/deadline.js'
import { isOwnAddress, openSocket } from './open-socket.js'
import type { Peer } from './peer.js'

export interface ConnectionOptions {
  readonly peer: Peer
  readonly clientId: string
  /** Our own broker's port: a peer that is ourselves is refused. */
  readonly ownPort: number
  readonly keepaliveS?: number
  /** Published by the peer, retained, when this connection ends without DISCONNECT. */
  readonly will?: { readonly topic: string; readonly payload: string }
}

/** What the peer says. */
export interface PeerMessage {
  readonly topic: string
  readonly payload: Buffer
  readonly qos: Qos
  readonly retain: boolean
}

/** One connection to a peer, from its beginning to its end: it never comes back by itself, and keeps nothing that another one would send. */
export interface PeerConnection {
  /** Resolves with the reason when it has ended. */
  readonly ended: Promise<string>
  /** Sends a message; `acknowledged` is called if the peer acknowledges it. */
  publish(
    message: { readonly topic: string; readonly payload: Uint8Array; readonly qos: 1 | 2; readonly retain: boolean },
    acknowledged: () => void,
  ): void
  /** To be called once. Resolves when the peer has answered; a filter that it refuses brings nothing. */
  subscribe(filters: readonly string[], onMessage: (message: PeerMessage) => void): Promise<void>
  /** Ends it with DISCONNECT: no will. */
  leave(): Promise<void>
  /** Ends it as a lost one. */
  drop(reason: string): void
}

/** The peer has so long to answer CONNECT. */
const ACCEPT_MS = 10_000
const LEAVE_MS = 1000
/** A peer that is gone without a word is noticed after one and a half of it. */
const KEEPALIVE_S = 30
/** What may come in without being a whole packet: a packet of the length that we would take ourselves, and what lies in a socket's buffer. */
const MOST_UNPARSED_BYTES = MAX_PACKET_BYTES + 256 * 1024

/** Connects to a peer with a clean session.
 * @throws Error when it cannot be reached, refuses, or is this unit's own broker */
export async function connectPeer(options: ConnectionOptions): Promise<PeerConnection> {
  const { peer, clientId, keepaliveS = KEEPALIVE_S, will } = options
  const socket = await openSocket(peer)
  refuseOurselves(socket, options)
  const settings: IClientOptions = {
    clientId,
    protocolVersion: 4,
    clean: true,
    reconnectPeriod: 0,
    connectTimeout: ACCEPT_MS,
    keepalive: keepaliveS,
    ...(peer.username === undefined ? {} : { username: peer.username }),
    ...(peer.password === undefined ? {} : { password: peer.password }),
    ...(will === undefined ? {} : { will: { ...will, payload: Buffer.from(will.payload), qos: 1, retain: true } }),
  }
  const client = new MqttClient(() => socket, settings)
  const connection = new MqttPeerConnection(client, socket)
  const accepted = new Promise<void>((resolve) => client.once('connect', () => resolve()))
  const reason = await deadline(
    ACCEPT_MS,
    Promise.race([accepted.then(() => null), connection.ended]),
    () => 'the peer does not answer',
  )
  if (reason === null) return connection
  connection.drop(reason)
  throw new Error(reason)
}

function refuseOurselves(socket: Socket, { ownPort }: ConnectionOptions): void {
  if (socket.remotePort !== ownPort || !isOwnAddress(socket.remoteAddress ?? '')) return
  socket.destroy()
  throw new Error("the peer is this unit's own broker")
}

class MqttPeerConnection implements PeerConnection {
  readonly ended: Promise<string>
  readonly #client: MqttClient
  readonly #socket: Socket
  #reason = 'the peer closed the connection'

  constructor(client: MqttClient, socket: Socket) {
    this.#client = client
    this.#socket = socket
    client.on('error', (error) => {
      this.#reason = error.message
    })
    this.#limitUnparsed(socket)
    this.ended = new Promise((resolve) => {
      client.once('close', () => {
        resolve(this.#reason)
      })
    })
  }

  /** Ends a connection that brings a longer packet than we take: it would be gathered in memory. */
  #limitUnparsed(socket: Socket): void {
    let unparsed = 0
    this.#client.on('packetreceive', () => {
      unparsed = 0
    })
    socket.on('data', (chunk: Buffer) => {
      unparsed += chunk.length
      if (unparsed > MOST_UNPARSED_BYTES) this.drop('the peer sends a packet that is too long')
    })
  }

  publish({ topic, payload, qos, retain }: Parameters<PeerConnection['publish']>[0], acknowledged: () => void): void {
    const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength)
    this.#client.publish(topic, bytes, { qos, retain }, (error) => {
      if (error === undefined || error === null) acknowledged()
    })
  }

  async subscribe(filters: readonly string[], onMessage: (message: PeerMessage) => void): Promise<void> {
    this.#client.on('message', (topic, payload, { qos, retain }) => onMessage({ topic, payload, qos, retain }))
    await this.#client.subscribeAsync([...filters], { qos: 1 }).catch(() => undefined)
  }

  async leave(): Promise<void> {
    await deadline(LEAVE_MS, this.#client.endAsync(), () => this.drop('the peer does not let go'))
  }

  drop(reason: string): void {
    this.#reason = reason
    // Not `end`: the library stumbles over acknowledgements that it still reads then.
    this.#socket.destroy()
  }
}
