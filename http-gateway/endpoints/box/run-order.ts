import { randomUUID } from 'node:crypto'
import { type Static, Type } from '@sinclair/typebox'
import type { OrderOf } from '../../../events/core/define-command.js'
import type { startRunCommand } from '../../../events/potentiostat/commands.js'
import { InvalidRunOrder, RunIdTaken } from '../../../events/potentiostat/errors.js'
import type { GatewayContext } from '../../context.js'

const OptionalText = Type.Union([Type.String(), Type.Null()], { default: null })

/** Body of `POST /jobs`. */
export const RunRequest = Type.Object({
  devices: Type.Union([Type.Array(Type.String()), Type.Literal('all')]),
  modes: Type.Array(Type.String(), { minItems: 1 }),
  params_by_mode: Type.Record(Type.String(), Type.Record(Type.String(), Type.Unknown()), { default: {} }),
  tia_gain: Type.Union([Type.Integer(), Type.Null(), Type.Literal('auto')], { default: 0 }),
  sampling_interval: Type.Union([Type.Number(), Type.Null()], { default: null, unit: 's' }),
  experiment_name: Type.String(),
  subdir: OptionalText,
  client_datetime: Type.String(),
  run_name: OptionalText,
  folder_name: OptionalText,
  group_id: OptionalText,
  make_plot: Type.Boolean({ default: true }),
})
export type RunRequest = Static<typeof RunRequest>

/** `20261120T094157_56a1cb` */
const newRunId = (now: Date): string =>
  `${now.toISOString().slice(0, 19).replace(/[-:]/g, '')}_${randomUUID().slice(0, 6)}`

/** The order that a request asks for. The services check it, but for what they cannot know: which mode a client spelt in which way, and
 * the names of all runs there ever were.
 * @throws InvalidRunOrder, RunIdTaken */
export async function runOrder(
  request: RunRequest,
  { readModels, clock }: GatewayContext,
): Promise<OrderOf<typeof startRunCommand>> {
  const { folder_name, run_name, ...rest } = request
  const withoutParameters = rest.modes.filter((mode) => !Object.hasOwn(rest.params_by_mode, mode))
  if (withoutParameters.length > 0) {
    throw new InvalidRunOrder(`params_by_mode lacks ${withoutParameters.join(', ')}.`)
  }
  // The services remember the runs of their retained topics.
  if (run_name && (await readModels.run(run_name)) !== null) {
    throw new RunIdTaken(`There is already a run ${run_name}, running or finished.`)
  }
  const subdir = [rest.subdir, folder_name].find((name) => name !== null && name.trim() !== '') ?? null
  return { ...rest, subdir, run_id: run_name || newRunId(clock.now()) }
}
