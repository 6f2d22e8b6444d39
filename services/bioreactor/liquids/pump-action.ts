import { Type } from '@sinclair/typebox'
import { defineJob, type JobDefinition, type ParametersOf } from '../../../events/core/define-job.js'
import { InvalidInput } from '../../../events/core/errors.js'
import { createAction, type Job, type JobContext } from '../../jobs/job.js'
import type { Calibrations } from '../calibrations/artifact-store.js'
import { checkPumpSeconds, MAX_PUMP_S, pumpedMl, pumpSeconds } from '../control/dosing/pump-curve.js'
import { demandCalibration, findPump, type PumpSpec, WASTE } from './pump-spec.js'
import { type PumpDeps, Pumps } from './pumps.js'
import { admitDose, demandRoom } from './room.js'

const Amount = Type.Number({ minimum: 0 })

/** Who asked for a dose; stored with its events. */
export const sourceOfEvent = {
  schema: Type.String({ maxLength: 200 }),
  doc: 'Who asked; stored with the dosing events.',
  option: { type: 'text' },
  default: 'CLI',
} as const

/** An action that runs one pump. Source of names and defaults: Pioreactor 26.7 `pump`. */
const pumpAction = <const Name extends string>(name: Name, help: string, continuously: string) =>
  defineJob({
    name,
    help,
    action: true,
    stopOrder: 'outputs',
    parameters: {
      ml: { schema: Amount, unit: 'mL', doc: 'Volume to move; needs a calibration.', option: { help: '' } },
      duration: { schema: Amount, unit: 's', doc: 'How long to pump.', option: { help: '' } },
      continuously: {
        schema: Type.Boolean(),
        doc: continuously,
        option: { help: continuously },
        default: false,
      },
      source_of_event: sourceOfEvent,
    },
  })

const UNTIL_FULL = 'Keep adding until the vial is as full as the model allows.'

export const addMedia = pumpAction('add_media', 'Pump media into the vial.', UNTIL_FULL)
export const addAltMedia = pumpAction('add_alt_media', 'Pump the alternative media into the vial.', UNTIL_FULL)
export const removeWaste = pumpAction('remove_waste', 'Pump waste out of the vial.', 'Keep pumping until stopped.')

export interface PumpActionDeps extends PumpDeps {
  readonly calibrations: Calibrations
}

type Amounts = ParametersOf<typeof addMedia>

/** @param pump its name */
export const createPumpAction = (
  definition: typeof addMedia | typeof addAltMedia | typeof removeWaste,
  pump: string,
) => {
  return (deps: PumpActionDeps & { readonly dotPioreactor: string }): Job => {
    const action = createAction<JobDefinition>(definition, (job, params) =>
      pumpOnce(job, params as Amounts, pump, deps),
    )
    return pump === WASTE ? action : { ...action, admit: (order) => admitDose(order, deps) }
  }
}

async function pumpOnce(job: JobContext, params: Amounts, name: string, deps: PumpActionDeps): Promise<void> {
  const { book } = deps
  checkOneAmount(params)
  book.open(job.experiment, job.config)
  const spec = await findPump(name, job.config, deps.calibrations)
  const seconds = secondsOf(params, spec, job, deps)
  const pumps = new Pumps(deps, job)
  const { pumpMl, movedMl } = await pumps.once(spec, seconds, params.source_of_event, job.ending)
  const air = pumpMl - movedMl
  job.log('info', `Moved ${movedMl.toFixed(3)} mL.${air > 1e-3 ? ` The rest of ${pumpMl.toFixed(3)} mL was air.` : ''}`)
  await book.recorded()
}

/** How long the pump is to run. @throws LabError when it must not, before anything moves */
function secondsOf({ ml, duration }: Amounts, spec: PumpSpec, job: JobContext, { book }: PumpDeps): number {
  const { volume_ml } = book.liquid(job.experiment)
  const adds = spec.name !== WASTE
  if (ml !== undefined) {
    demandCalibration(spec)
    if (adds) demandRoom(book, volume_ml, ml, 'ml')
    return pumpSeconds(spec.curve, ml)
  }
  if (duration !== undefined) {
    if (adds) demandRoom(book, volume_ml, pumpedMl(spec.curve, duration), 'duration')
    return checkPumpSeconds(duration)
  }
  if (!adds) return MAX_PUMP_S
  demandCalibration(spec)
  const roomMl = book.model.reactor_max_fill_volume_ml - volume_ml
  demandRoom(book, volume_ml, roomMl > 0 ? 0 : Number.MIN_VALUE, 'continuously')
  return pumpSeconds(spec.curve, Math.max(0, roomMl))
}

function checkOneAmount({ ml, duration, continuously }: Amounts): void {
  const given = [ml !== undefined, duration !== undefined, continuously].filter(Boolean).length
  if (given === 1) return
  throw new InvalidInput(`${given} of ml, duration and continuously are given; exactly one is needed.`, {
    details: { field: 'ml', value: ml },
  })
}
