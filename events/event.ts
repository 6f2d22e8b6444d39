/** MQTT quality of service. */
export type Qos = 0 | 1 | 2

/** A message as its publisher sent it. The topic is the event type. */
export interface NewEvent {
  readonly topic: string
  readonly payload: Uint8Array
  readonly qos: Qos
  readonly retain: boolean
  /** Client id of the publisher; empty for the broker itself. */
  readonly client: string
  /** Packet identifier of a QoS 2 message of a persistent session, 1 to 65535: kept with the event until it is released. */
  readonly messageId?: number
}

/** The client released a QoS 2 message it sent (PUBREL): its packet identifier is free again. Or its session is gone: all of them. */
export type Release =
  | { readonly client: string; readonly messageId: number }
  | { readonly client: string; readonly all: true }

/** A QoS 2 message that is recorded and not yet released. */
export interface ReceivedMessage {
  readonly client: string
  readonly messageId: number
  readonly position: number
}

/** An event of the log. `recordedAt` is milliseconds UTC; positions are consecutive integers from 1. */
export interface RecordedEvent extends NewEvent {
  readonly position: number
  readonly recordedAt: number
}

const decoder = new TextDecoder('utf-8', { fatal: true })

/** Payload as UTF-8 text, or null when it is not valid UTF-8. */
export function payloadText(event: { readonly payload: Uint8Array }): string | null {
  try {
    return decoder.decode(event.payload)
  } catch {
    return null
  }
}

/** A recorded event whose payload is wanted as text, if at all. */
export interface TextEvent {
  readonly position: number
  readonly recordedAt: number
  readonly topic: string
  readonly retain: boolean
  /** Null when the payload is not UTF-8. */
  readonly text: string | null
}
