import type { Static, TSchema } from '@sinclair/typebox'
import { InvalidInput } from '../../events/core/errors.js'
import type { TextEvent } from '../../events/event.js'
import { check, parseJson } from '../../events/schema.js'

/** One event as folds see it. Text and JSON are decoded once, however many projections look. */
export class FoldEvent {
  readonly #event: TextEvent
  /** The topic's levels. */
  readonly levels: readonly string[]
  #text: string | null | undefined
  #json: unknown

  constructor(event: TextEvent, levels: readonly string[]) {
    this.#event = event
    this.levels = levels
  }

  get position(): number {
    return this.#event.position
  }

  get topic(): string {
    return this.#event.topic
  }

  get retain(): boolean {
    return this.#event.retain
  }

  /** An empty payload clears a retained topic. */
  get isEmpty(): boolean {
    return this.#decoded === ''
  }

  /** When the event was recorded, ms UTC. */
  get recordedAtMs(): number {
    return this.#event.recordedAt
  }

  /** When the event was recorded, three fraction digits: the time of payloads that carry none. */
  get recordedAt(): string {
    return new Date(this.#event.recordedAt).toISOString()
  }

  level(index: number): string {
    return this.levels[index] ?? ''
  }

  /** @throws InvalidInput when the payload is not UTF-8. */
  get text(): string {
    const text = this.#decoded
    if (text === null) throw new InvalidInput('The payload is not UTF-8.')
    return text
  }

  get #decoded(): string | null {
    if (this.#text === undefined) this.#text = this.#event.text
    return this.#text
  }

  /** @throws InvalidInput when the payload is not JSON. */
  get json(): unknown {
    if (this.#json === undefined) this.#json = parseJson(this.text)
    return this.#json
  }

  /** The payload with its static type. @throws InvalidInput when it does not fit. */
  as<S extends TSchema>(schema: S): Static<S> {
    return check(schema, this.json)
  }

  /** The payload as a JSON object whose fields are checked one by one, which is ten times as fast as a schema. */
  get fields(): Fields {
    const { json } = this
    if (typeof json === 'object' && json !== null && !Array.isArray(json)) return new Fields(json)
    throw new InvalidInput('The payload is not a JSON object.')
  }

  /** A payload that is one decimal number. @throws InvalidInput */
  get number(): number {
    const value = this.text.trim() === '' ? Number.NaN : Number(this.text)
    if (Number.isFinite(value)) return value
    throw new InvalidInput(`The payload is '${this.text.slice(0, 80)}'; it must be a number.`)
  }
}

const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$/

/** A UTC timestamp with three fraction digits and `Z`: `2026-11-20T09:34:27.091000Z` → `2026-11-20T09:34:27.091Z`.
 * @throws InvalidInput when it is not RFC 3339 UTC. */
export function toMilliseconds(timestamp: string): string {
  if (!TIMESTAMP.test(timestamp)) {
    throw new InvalidInput(`timestamp is '${timestamp.slice(0, 80)}'; it must be RFC 3339 UTC with Z.`)
  }
  if (timestamp.length === 24) return timestamp
  const fraction = timestamp.slice(20, -1).slice(0, 3).padEnd(3, '0')
  return `${timestamp.slice(0, 19)}.${fraction}Z`
}

/** Fields of a JSON object, each checked as it is read. */
export class Fields {
  readonly #object: object

  constructor(object: object) {
    this.#object = object
  }

  #get(name: string): unknown {
    return (this.#object as Record<string, unknown>)[name]
  }

  #refuse(name: string, expected: string): never {
    throw new InvalidInput(`${name} is ${JSON.stringify(this.#get(name))?.slice(0, 80)}; it must be ${expected}.`)
  }

  number(name: string): number {
    const value = this.#get(name)
    return typeof value === 'number' && Number.isFinite(value) ? value : this.#refuse(name, 'a number')
  }

  /** Null when absent or null. */
  optionalNumber(name: string): number | null {
    return this.#get(name) == null ? null : this.number(name)
  }

  numberOr(name: string, absent: number): number {
    return this.#get(name) === undefined ? absent : this.number(name)
  }

  string(name: string): string {
    const value = this.#get(name)
    return typeof value === 'string' ? value : this.#refuse(name, 'a string')
  }

  /** Null when absent or null. */
  optionalString(name: string): string | null {
    return this.#get(name) == null ? null : this.string(name)
  }

  /** Digits as text or a number, within the inclusive limits. */
  integer(name: string, min: number, max: number): number {
    const value = Number(this.#get(name))
    return Number.isInteger(value) && value >= min && value <= max
      ? value
      : this.#refuse(name, `an integer from ${min} to ${max}`)
  }

  oneOf(name: string, allowed: readonly string[]): string {
    const value = this.string(name)
    return allowed.includes(value) ? value : this.#refuse(name, `one of ${allowed.join(', ')}`)
  }

  /** JSON text of a field; `absent` when it is null or missing. */
  jsonText(name: string, absent: string): string {
    const value = this.#get(name)
    return value == null ? absent : JSON.stringify(value)
  }

  /** `timestamp`, or the named field, with three fraction digits. */
  timestamp(name = 'timestamp'): string {
    return toMilliseconds(this.string(name))
  }
}
