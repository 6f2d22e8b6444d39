import { connect as connectTcp, type Socket } from 'node:net'
import { generate, parser as newParser, type Packet } from 'mqtt-packet'

/** Speaks MQTT over one connection after the other, with what a session needs kept between them, as a client with a disk does. */
abstract class RememberingClient {
  readonly clientId: string
  #socket: Socket | undefined
  #connections = 0
  /** CONNACKs after the first that said there was no session. */
  sessionsLost = 0

  constructor(clientId: string) {
    this.clientId = clientId
  }

  connect(port: number): void {
    const socket = connectTcp(port, '127.0.0.1')
    this.#socket = socket
    const parser = newParser()
    parser.on('packet', (packet) => {
      if (this.#socket !== socket) return
      if (packet.cmd === 'connack') {
        if (this.#connections++ > 0 && !packet.sessionPresent) this.sessionsLost++
        this.connected(this.#connections === 1)
      } else {
        this.received(packet)
      }
    })
    socket.on('error', () => undefined)
    socket.on('data', (chunk) => parser.parse(chunk))
    const { clientId } = this
    this.send({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clean: false, clientId, keepalive: 0 })
  }

  /** The connection is gone, whatever was on its way. */
  disconnect(): void {
    this.#socket?.destroy()
    this.#socket = undefined
  }

  protected send(packet: Packet): void {
    this.#socket?.write(generate(packet))
  }

  protected abstract connected(first: boolean): void
  protected abstract received(packet: Packet): void
}

interface Sending {
  readonly payload: string
  readonly qos: 1 | 2
  released: boolean
}

const MOST_UNDER_WAY = 8

/** Publishes with QoS 1 and 2 as fast as it is answered, and sends again what was not. */
export class RememberingPublisher extends RememberingClient {
  /** PUBACK or PUBREC came. */
  readonly acknowledged = new Set<string>()
  /** How often each payload of QoS 1 was sent. */
  readonly sent = new Map<string, number>()
  readonly #underWay = new Map<number, Sending>()
  #lastId = 0
  #count = 0
  publishing = true

  get idle(): boolean {
    return this.#underWay.size === 0
  }

  protected connected(): void {
    for (const [messageId, sending] of this.#underWay) {
      if (sending.released) this.send({ cmd: 'pubrel', messageId })
      else this.#publish(messageId, sending, true)
    }
    this.#more()
  }

  protected received(packet: Packet): void {
    const { cmd, messageId = 0 } = packet
    const sending = this.#underWay.get(messageId)
    if (sending === undefined) return
    if (cmd === 'puback' || cmd === 'pubrec') this.acknowledged.add(sending.payload)
    if (cmd === 'pubrec') {
      sending.released = true
      this.send({ cmd: 'pubrel', messageId })
    } else if (cmd === 'puback' || cmd === 'pubcomp') {
      this.#underWay.delete(messageId)
      this.#more()
    }
  }

  #more(): void {
    while (this.publishing && this.#underWay.size < MOST_UNDER_WAY) {
      // Few identifiers, so that each comes again soon.
      do this.#lastId = (this.#lastId % 50) + 1
      while (this.#underWay.has(this.#lastId))
      const qos = this.#count % 2 === 0 ? 1 : 2
      const sending = { payload: `${qos} ${this.clientId} ${this.#count++}`, qos, released: false } as const
      this.#underWay.set(this.#lastId, { ...sending })
      this.#publish(this.#lastId, sending, false)
    }
  }

  #publish(messageId: number, { payload, qos }: Sending, dup: boolean): void {
    this.sent.set(payload, (this.sent.get(payload) ?? 0) + 1)
    this.send({ cmd: 'publish', topic: `load/${messageId % 20}`, payload, qos, messageId, dup, retain: false })
  }
}

/** Subscribes to the load and tells what came again. */
export class RememberingSubscriber extends RememberingClient {
  /** How often each payload came without DUP, and when it was last acknowledged. */
  readonly taken = new Map<string, { firsts: number; answeredAt: number }>()
  /** Deliveries of messages of QoS 1 with DUP that had come before. */
  repeats = 0
  /** Messages of QoS 2 that were handed over twice. */
  readonly twice: string[] = []
  /** Longest time between an acknowledgement and the kill after which its message came again, ms. */
  oldestRepeatMs = 0
  /** Set by the one who kills. */
  killedAt = 0
  /** Identifiers of QoS 2 messages that are not released yet. */
  readonly #held = new Set<number>()

  protected connected(first: boolean): void {
    if (first) this.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'load/#', qos: 2 }] })
  }

  protected received(packet: Packet): void {
    if (packet.cmd === 'pubrel') {
      const { messageId = 0 } = packet
      this.#held.delete(messageId)
      this.send({ cmd: 'pubcomp', messageId })
    }
    if (packet.cmd !== 'publish') return
    const { qos, messageId = 0, dup } = packet
    const payload = packet.payload.toString()
    const before = this.taken.get(payload)
    const isNew = qos === 1 || !this.#held.has(messageId)
    const answeredAt = performance.now()
    if (isNew) this.taken.set(payload, { firsts: (before?.firsts ?? 0) + (dup ? 0 : 1), answeredAt })
    if (before !== undefined && qos === 1 && dup) {
      this.repeats++
      this.oldestRepeatMs = Math.max(this.oldestRepeatMs, this.killedAt - before.answeredAt)
    }
    if (before !== undefined && qos === 2 && isNew) this.twice.push(payload)
    if (qos === 2) this.#held.add(messageId)
    this.send({ cmd: qos === 1 ? 'puback' : 'pubrec', messageId })
  }
}
