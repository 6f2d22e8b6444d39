import type { Static, TSchema } from '@sinclair/typebox'
import { violations } from '../schema.js'
import { topicLevel } from '../topic.js'
import { InvalidInput } from './errors.js'
import { decodeValue, encodeValue } from './values.js'

/** What the publisher of an event says of it. */
export interface EventDeclaration<Pattern extends string = string, S extends TSchema = TSchema> {
  /** Its topic, with what varies in angle brackets: `system/<unit>/jobs/<job_id>`. */
  readonly pattern: Pattern
  /** A retained event is a state: the broker keeps the last one of a topic. Otherwise it is an occurrence. */
  readonly retained: boolean
  /** With units and limits. */
  readonly payload: S
  /** What it means, in one sentence. */
  readonly doc: string
  /** How a payload is written where clients expect something else than plain values and compact JSON. */
  write?(payload: Static<S>): string
}

type NamesIn<Pattern extends string> = Pattern extends `${string}<${infer Name}>${infer Rest}`
  ? Name | NamesIn<Rest>
  : never

/** What stands in the place of the names of a pattern. */
export type Levels<Pattern extends string> = { readonly [Name in NamesIn<Pattern>]: string | number }

/** One kind of event. */
export interface EventDefinition<Pattern extends string = string, S extends TSchema = TSchema>
  extends EventDeclaration<Pattern, S> {
  /** The topic of one event. @throws InvalidInput for a text that cannot be one topic level */
  topic(levels: Levels<Pattern>): string
  /** The MQTT filter of these events: everywhere, or where the given levels say. */
  filter(levels?: Partial<Levels<Pattern>>): string
  /** The names of the pattern, taken from a topic; null for the topic of something else. */
  levels(topic: string): { readonly [Name in NamesIn<Pattern>]: string } | null
  /** Payload of an event. @throws InvalidInput naming the field that is not as declared */
  encode(payload: Static<S>): string
  /** @throws InvalidInput naming the field that is not as declared */
  parse(text: string): Static<S>
}

/** Type of the payload of an event. */
export type PayloadOf<E> = E extends EventDeclaration<string, infer S> ? Static<S> : never

/** Declares an event once: topics, filters, checks, the topic reference and the AsyncAPI document follow.
 *
 * ```ts
 * const mass = defineEvent({
 *   pattern: 'balance/<unit>/<slot>/mass',
 *   retained: true,
 *   payload: Type.Object({ mass: Type.Number({ minimum: 0, unit: 'g' }), timestamp: Timestamp }),
 *   doc: 'What lies on the balance.',
 * })
 *
 * const topic = mass.topic({ unit: 'u1', slot: 'left' })
 * const payload = mass.encode({ mass: 12.5, timestamp: '2026-11-20T09:41:57Z' })
 * const filter = mass.filter({ unit: 'u1' })
 * const from = mass.levels(topic)
 * const read = mass.parse(payload)
 * ```
 */
export function defineEvent<const Pattern extends string, S extends TSchema>(
  declaration: EventDeclaration<Pattern, S>,
): EventDefinition<Pattern, S> {
  const { pattern, payload, write = encodeValue } = declaration
  const parts = pattern.split('/')
  const regex = patternRegex(parts)
  const written = (levels: Readonly<Record<string, string | number | undefined>>, other: (name: string) => string) =>
    parts.map((part) => levelOf(part, levels, other)).join('/')
  return Object.freeze({
    ...declaration,
    topic: (levels: Levels<Pattern>) =>
      written(levels, (name) => {
        throw new InvalidInput(`${pattern} needs ${name}.`, { details: { field: name } })
      }),
    filter: (levels: Partial<Levels<Pattern>> = {}) => written(levels, () => '+'),
    levels(topic: string) {
      const found = regex.exec(topic)
      // Its groups are the names of the pattern.
      return found === null ? null : { ...found.groups }
    },
    encode(value: Static<S>) {
      const [wrong] = violations(payload, value)
      if (wrong !== undefined)
        throw new InvalidInput(wrong.message, { details: { field: wrong.field, topic: pattern } })
      return write(value)
    },
    parse: (text: string) => decodeValue('payload', { schema: payload }, text),
  }) as EventDefinition<Pattern, S>
}

const NAME = /<(\w+)>/g

/** One level, its names replaced; a level with a name that is not given is up to `other` as a whole. */
function levelOf(
  part: string,
  levels: Readonly<Record<string, string | number | undefined>>,
  other: (name: string) => string,
): string {
  const missing = [...part.matchAll(NAME)].find(([, name = '']) => levels[name] === undefined)
  if (missing !== undefined) return other(missing[1] ?? '')
  return part.replace(NAME, (_, name: string) => topicLevel(name, String(levels[name])))
}

/** The second time a name stands for what it stood for the first time. */
function patternRegex(parts: readonly string[]): RegExp {
  const seen = new Set<string>()
  const level = (part: string): string =>
    part
      .split(NAME)
      .map((text, index) => {
        if (index % 2 === 0) return text.replace(/[$.*+?^()[\]{}|\\]/g, '\\$&')
        if (seen.has(text)) return `\\k<${text}>`
        seen.add(text)
        return `(?<${text}>[^/]+)`
      })
      .join('')
  return new RegExp(`^${parts.map(level).join('/')}$`)
}
