import type { CommandDefinition } from '../../events/core/define-command.js'

/** A command that a service carries out. */
export interface Answer {
  readonly command: CommandDefinition
  /** Checks an order and carries it out. @returns what its outcome holds. @throws InvalidInput naming the field, or what the handler throws */
  carryOut(text: string, id: string): Promise<unknown>
}

/** Pairs a command with what carries it out; order and result have the types of its declaration.
 * @param handler what it throws becomes the error of the outcome. */
export const answer = <Order, Result>(
  command: CommandDefinition<Order, Result>,
  handler: (order: Order, id: string) => Promise<NoInfer<Result>>,
): Answer => ({
  command,
  carryOut: async (text, id) => handler(command.parse(text), id),
})
