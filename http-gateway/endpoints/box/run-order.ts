import { randomUUID } from 'node:crypto'
import { type Static, Type } from '@sinclair/typebox'
import type { Order } from '../../../bus/commands.js'
import { defineError, InvalidInput } from '../../../events/core/errors.js'
import { InvalidRunOrder, RunIdTaken, UnknownSlots } from '../../../events/potentiostat/errors.js'
import { runNames } from '../../../events/run-names.js'
import { RUN_ID_PATTERN } from '../../../events/topic.js'
import type { GatewayContext } from '../../context.js'
import { connectedDevices } from './devices.js'

export const InvalidName = defineError(
  'jobs.invalid_name',
  'input',
  'A name or date leaves nothing usable as a file name, or a run name is not allowed.',
)

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

/** The order to the services, after the checks that need no hardware. The services check everything else, parameters above all.
 * @throws InvalidRunOrder, UnknownSlots, InvalidName, RunIdTaken */
export async function runOrder(request: RunRequest, context: GatewayContext): Promise<Order<'start_run'>> {
  const { folder_name, run_name, ...rest } = request
  const subdir = [rest.subdir, folder_name].find((name) => name !== null && name.trim() !== '') ?? null
  const withoutParameters = rest.modes.filter((mode) => !Object.hasOwn(rest.params_by_mode, mode))
  if (withoutParameters.length > 0) {
    throw new InvalidRunOrder(`params_by_mode lacks ${withoutParameters.join(', ')}.`)
  }
  const devices = await knownSlots(request, context)
  const runId = run_name || newRunId(context.clock.now())
  await checkRunName(runId, context)
  checkFolderNames({ ...rest, subdir })
  return { ...rest, devices, subdir, run_id: runId }
}

async function knownSlots({ devices }: RunRequest, { readModels }: GatewayContext): Promise<string[]> {
  const connected = (await connectedDevices(readModels)).map(({ slot }) => slot)
  const wanted = devices === 'all' ? connected : devices
  const unknown = wanted.filter((slot) => !connected.includes(slot))
  if (wanted.length === 0 || unknown.length > 0) {
    const problem =
      unknown.length > 0 ? `There is no slot ${unknown.join(', ')}.` : 'No potentiostat is named or connected.'
    throw new UnknownSlots(problem, { remediation: `Connected are: ${connected.join(', ') || 'none'}.` })
  }
  const twice = wanted.filter((slot, index) => wanted.indexOf(slot) !== index)
  if (twice.length > 0) throw new InvalidRunOrder(`devices names ${twice.join(', ')} twice.`)
  return wanted
}

async function checkRunName(runId: string, { readModels }: GatewayContext): Promise<void> {
  if (!new RegExp(RUN_ID_PATTERN).test(runId)) {
    throw new InvalidName(
      'run_name must have 1 to 80 characters of A-Z, a-z, 0-9, _, - and ., and not begin with a dot.',
    )
  }
  if ((await readModels.run(runId)) !== null) {
    throw new RunIdTaken(`There is already a run ${runId}, running or finished.`, {
      remediation: 'Leave run_name out to get a free one.',
    })
  }
}

function checkFolderNames(naming: Parameters<typeof runNames>[0]): void {
  try {
    runNames(naming)
  } catch (error) {
    throw error instanceof InvalidInput ? new InvalidName(error.message) : error
  }
}
