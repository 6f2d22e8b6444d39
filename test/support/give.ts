import type { CommandDefinition } from '../../events/core/define-command.js'
import type { Service } from '../../services/runtime/service.js'

/** Gives a service an order as it comes from the broker. @returns the result, which is as declared */
export async function give<Order, Result>(
  service: Pick<Service, 'name' | 'commands'>,
  command: CommandDefinition<Order, Result>,
  order: NoInfer<Order>,
  id = 'order',
): Promise<Result> {
  const answer = service.commands.find((entry) => entry.command.name === command.name)
  if (answer === undefined) throw new Error(`${service.name} does not answer ${command.name}`)
  return command.parseResult(await answer.carryOut(command.encode(id, order), id))
}
