import { randomUUID } from 'node:crypto'
import { type Static, Type } from '@sinclair/typebox'
import type { OrderOf } from '../../../events/core/define-command.js'
import { RunRequest, type startRunCommand } from '../../../events/potentiostat/commands.js'
import { InvalidRunOrder, RunIdTaken } from '../../../events/potentiostat/errors.js'
import type { GatewayContext } from '../../context.js'

const OptionalText = Type.Union([Type.String(), Type.Null()], { default: null })

/** Body of `POST /jobs`. */
export const RunBody = Type.Object({
  ...RunRequest.properties,
  run_name: OptionalText,
  /** Stands for `subdir`. */
  folder_name: OptionalText,
})

/** `20261120T094157_56a1cb` */
const newRunId = (now: Date): string =>
  `${now.toISOString().slice(0, 19).replace(/[-:]/g, '')}_${randomUUID().slice(0, 6)}`

/** The order that a request asks for. The services check it, but for what they cannot know: which mode a client spelt in which way, and
 * the names of all runs there ever were.
 * @throws InvalidRunOrder, RunIdTaken */
export async function runOrder(
  body: Static<typeof RunBody>,
  { readModels, clock }: GatewayContext,
): Promise<OrderOf<typeof startRunCommand>> {
  const { folder_name, run_name, ...rest } = body
  const withoutParameters = rest.modes.filter((mode) => !Object.hasOwn(rest.params_by_mode, mode))
  if (withoutParameters.length > 0) {
    throw new InvalidRunOrder(`params_by_mode lacks ${withoutParameters.join(', ')}.`)
  }
  // The services know it too, but for runs that versions before theirs cleared from the retained topics.
  if (run_name && (await readModels.run(run_name)) !== null) {
    throw new RunIdTaken(`There is already a run ${run_name}, running or finished.`)
  }
  const subdir = [rest.subdir, folder_name].find((name) => name !== null && name.trim() !== '') ?? null
  return { ...rest, subdir, run_id: run_name || newRunId(clock.now()) }
}
