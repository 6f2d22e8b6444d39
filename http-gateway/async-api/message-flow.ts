import type { TSchema } from '@sinclair/typebox'

/** Messages of one kind on one topic, as the AsyncAPI document lists them. */
export interface MessageFlow {
  /** With names in braces for what varies. */
  readonly topic: string
  /** From the unit's point of view: it sends events and receives commands. */
  readonly action: 'send' | 'receive'
  readonly summary: string
  readonly retained: boolean
  /** The shapes that a payload can have, by name. */
  readonly payloads: Readonly<Record<string, Payload>>
  readonly tag: 'jobs' | 'bioreactor' | 'potentiostat' | 'system'
  /** Where a command is answered; with which of the payloads of that topic, when not with any. */
  readonly reply?: { readonly topic: string; readonly payloads?: readonly string[] }
}

export interface Payload {
  readonly contentType: 'application/json' | 'text/plain'
  readonly schema: TSchema
  /** Its field `id` tells which command and which outcome belong together. */
  readonly hasId?: true
}

/** How a value of the schema's type is written: see `encodeValue`. A number is its own JSON. */
export function payloadOf(schema: TSchema): Payload {
  switch (schema['type']) {
    case 'boolean':
      return { contentType: 'text/plain', schema: { ...schema, type: 'string', enum: ['True', 'False'] } }
    case 'string':
      return { contentType: 'text/plain', schema }
    default:
      return { contentType: 'application/json', schema }
  }
}
