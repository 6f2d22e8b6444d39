import { connect as connectTcp } from 'node:net'
import { generate, parser as newParser } from 'mqtt-packet'
import { expect, onTestFinished } from 'vitest'
import type { Qos } from '../../events/event.js'
import { eventually } from '../support/eventually.js'

export interface RawMessage {
  readonly topic: string
  readonly payload: string
  readonly qos: Qos
  readonly messageId: number
  readonly dup: boolean
  readonly retain: boolean
}

/** MQTT spoken packet by packet: it answers nothing by itself. */
export interface RawClient {
  readonly messages: RawMessage[]
  /** Other packets that came: `puback 7`, `connack`. */
  readonly seen: string[]
  /** Of the CONNACK; undefined before it came. */
  sessionPresent(): boolean | undefined
  send(bytes: Buffer): void
  publish(topic: string, payload: string, qos: Qos, messageId: number, dup?: boolean): void
  /** An acknowledgement, as `puback`. */
  answer(cmd: 'puback' | 'pubrec' | 'pubrel' | 'pubcomp', messageId: number): void
  /** Subscribes and waits for the SUBACK. */
  subscribe(topic: string, qos: Qos): Promise<void>
  until(packet: string): Promise<void>
  /** Ends the connection without a DISCONNECT. */
  close(): void
}

/** Connects; closed after the test. */
export function rawClient(
  { port }: { readonly port: number },
  { clientId = 'raw', clean = false }: { readonly clientId?: string; readonly clean?: boolean } = {},
): RawClient {
  const socket = connectTcp(port, '127.0.0.1')
  const seen: string[] = []
  const messages: RawMessage[] = []
  let present: boolean | undefined
  const parser = newParser()
  parser.on('packet', (packet) => {
    if (packet.cmd === 'publish') {
      const { topic, qos, messageId = 0, dup, retain } = packet
      messages.push({ topic, payload: packet.payload.toString(), qos, messageId, dup, retain })
      return
    }
    if (packet.cmd === 'connack') present = packet.sessionPresent
    seen.push(packet.messageId === undefined ? packet.cmd : `${packet.cmd} ${packet.messageId}`)
  })
  socket.on('error', () => undefined)
  socket.on('data', (chunk) => parser.parse(chunk))
  onTestFinished(() => {
    socket.destroy()
  })
  const send = (bytes: Buffer): void => {
    socket.write(bytes)
  }
  send(generate({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clean, clientId, keepalive: 0 }))
  const until = (packet: string): Promise<void> =>
    eventually(() => expect(seen.some((text) => text === packet || text.split(' ')[0] === packet)).toBe(true))
  let subscribed = 0
  return {
    messages,
    seen,
    sessionPresent: () => present,
    send,
    publish: (topic, payload, qos, messageId, dup = false) =>
      send(generate({ cmd: 'publish', topic, payload, qos, messageId, dup, retain: false })),
    answer: (cmd, messageId) => send(generate({ cmd, messageId })),
    async subscribe(topic, qos) {
      const messageId = ++subscribed
      send(generate({ cmd: 'subscribe', messageId, subscriptions: [{ topic, qos }] }))
      await until(`suback ${messageId}`)
    },
    until,
    close: () => {
      socket.destroy()
    },
  }
}
