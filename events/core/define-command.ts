import { type Static, type TObject, type TSchema, Type } from '@sinclair/typebox'
import { check, checkJson } from '../schema.js'
import { COMMAND_ID, commandTopic } from '../topic.js'
import { InvalidDeclaration } from './check-declaration.js'

/** What the service that carries out a command says of it. */
export interface CommandDeclaration<P extends TObject = TObject, R extends TSchema = TSchema> {
  /** Last level of its topic: lower case, digits and single underscores. */
  readonly name: string
  /** What is ordered, with units and limits; without the id. A field with a `default` may be left out. */
  readonly payload: P
  /** What the outcome of an accepted order holds. */
  readonly result: R
  /** What it does, in one sentence. */
  readonly doc: string
}

/** One kind of command. Orders go to its topic and are never retained; how an order ended is an event, `outcomeEvent`, under the order's id. */
export interface CommandDefinition<Order = unknown, Result = unknown> extends CommandDeclaration {
  /** Its topic, with what varies in angle brackets: `system/<unit>/commands/run_job`. */
  readonly pattern: string
  /** What is sent: the id and the payload, of which a field with a default may be missing. */
  readonly message: TObject
  topic(levels: { readonly unit: string }): string
  /** An order under an id. Its owner checks it. */
  encode(id: string, order: Order): string
  /** What is ordered: fields that are missing have their default, those that are not declared are left out. @throws InvalidInput naming the field that is not as declared */
  parse(text: string): Order
  /** @throws InvalidInput naming the field that is not as declared */
  parseResult(result: unknown): Result
}

/** Type of what is ordered with a command. */
export type OrderOf<C> = C extends CommandDefinition<infer Order> ? Order : never

/** Type of what the outcome of a command holds. */
export type ResultOf<C> = C extends CommandDefinition<unknown, infer Result> ? Result : never

/** An order without an id is given one, under which nobody but a reader of all outcomes finds it. */
const CommandId = Type.Optional(
  Type.String({ pattern: COMMAND_ID.source, description: 'Chosen by the sender; the outcome has it in its topic.' }),
)

const NAME = /^[a-z0-9]+(_[a-z0-9]+)*$/

/** Declares a command once: topic, checks of the order, types of its handler and of its result, the topic reference and the AsyncAPI
 * document follow.
 *
 * ```ts
 * const tare = defineCommand({
 *   name: 'tare_balance',
 *   payload: Type.Object({ slot: Type.String() }),
 *   result: Type.Object({ offset: Type.Number({ unit: 'g' }) }),
 *   doc: 'Takes what lies on a balance as its zero.',
 * })
 *
 * const topic = tare.topic({ unit: 'u1' })
 * const message = tare.encode('order-1', { slot: 'left' })
 * const order = tare.parse(message)
 * const { offset } = tare.parseResult({ offset: 0.25 })
 * ```
 *
 * A service carries it out with `answer(tare, async ({ slot }) => …)`, the gateway and others give it with `sendCommand`.
 * @throws InvalidDeclaration for a name that is none, and for a payload with an `id` of its own. */
export function defineCommand<P extends TObject, R extends TSchema>(
  declaration: CommandDeclaration<P, R>,
): CommandDefinition<Static<P>, Static<R>> {
  const { name, payload, result } = declaration
  const refuse = (problem: string): never => {
    throw new InvalidDeclaration(`The declaration of the command '${name}' is wrong: ${problem}.`)
  }
  if (!NAME.test(name)) refuse('a name is lower-case letters, digits and single underscores')
  if (Object.hasOwn(payload.properties, 'id')) refuse('its payload has the field id, which every order has')
  const fields = Object.keys(payload.properties)
  const defaults = Object.entries(payload.properties).filter(([, field]) => field.default !== undefined)
  const mayBeMissing = Object.fromEntries(defaults.map(([field, schema]) => [field, Type.Optional(schema)]))
  return Object.freeze({
    ...declaration,
    pattern: commandTopic('<unit>', name),
    message: Type.Object({ id: CommandId, ...payload.properties, ...mayBeMissing }),
    topic: ({ unit }: { readonly unit: string }) => commandTopic(unit, name),
    encode: (id: string, order: Static<P>) => JSON.stringify({ ...order, id }),
    parse(text: string) {
      const sent = checkJson(Type.Object({}), text)
      const missing = defaults.flatMap(([field, schema]) =>
        Object.hasOwn(sent, field) ? [] : [[field, structuredClone<unknown>(schema.default)] as const],
      )
      const order = check(payload, { ...sent, ...Object.fromEntries(missing) })
      return Object.fromEntries(Object.entries(order).filter(([field]) => fields.includes(field)))
    },
    parseResult: (value: unknown) => check(result, value, 'result'),
  }) as CommandDefinition<Static<P>, Static<R>>
}
