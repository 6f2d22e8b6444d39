import { NoRoom, UnknownModel } from '../../../events/bioreactor/errors.js'
import { InvalidInput, isInputError } from '../../../events/core/errors.js'
import type { Admission } from '../../jobs/job.js'
import { findModel, readModels } from '../board/models.js'
import { hasRoom } from '../control/dosing/dose-plan.js'
import type { LiquidBook } from './liquid-book.js'
import { decimal } from './liquid-values.js'

/** In the words of a Pioreactor 26.7, whose clients show them. */
const NO_ROOM = 'Requested dose would meet or exceed the reactor safety threshold.'

/** Refuses an addition before anything moves.
 * @param field of the order that asks for it. @throws NoRoom */
export function demandRoom(book: LiquidBook, volumeMl: number, additionMl: number, field: string): void {
  const limit = book.model.reactor_max_fill_volume_ml
  if (additionMl <= 0 || hasRoom(volumeMl, additionMl, limit)) return
  throw new NoRoom(`${NO_ROOM} ${reasonOf(volumeMl, additionMl, limit, field)}`, {
    details: { field, value: additionMl, limit, unit: 'mL' },
  })
}

const reasonOf = (volumeMl: number, additionMl: number, limitMl: number, field: string): string =>
  `${field} adds ${additionMl.toFixed(3)} mL to ${volumeMl.toFixed(3)} mL; the vial may hold less than ${limitMl} mL.`

/** Refuses a volume that has no room before its start becomes a task, as a Pioreactor's unit does: where the start names its experiment, by the limit of the
 * model that it names, else of the unit's own. The pump looks again, by the unit's own limit.
 * @throws NoRoom; UnknownModel; InvalidInput for an `ml` that is no number. Source: Pioreactor 26.7 */
export async function admitDose(
  { options, env, config }: Admission,
  { book, dotPioreactor }: { readonly book: LiquidBook; readonly dotPioreactor: string },
): Promise<void> {
  const { ml = null } = options
  const { EXPERIMENT: experiment = '', MODEL_NAME: name = '', MODEL_VERSION: version = '' } = env
  if (ml === null || experiment === '') return
  const additionMl = decimal(ml)
  if (Number.isNaN(additionMl)) {
    throw new InvalidInput(`ml is ${JSON.stringify(ml)}; it must be a number in mL.`, {
      details: { field: 'ml', value: ml },
    })
  }
  if (additionMl < 0) return
  const limit =
    name === '' || version === '' ? book.model.reactor_max_fill_volume_ml : await limitOf(name, version, dotPioreactor)
  const volumeMl = await volumeOf(book, experiment, config)
  if (volumeMl === null || hasRoom(volumeMl, additionMl, limit)) return
  throw new NoRoom(NO_ROOM, {
    details: { field: 'ml', value: additionMl, limit, unit: 'mL', cause: reasonOf(volumeMl, additionMl, limit, 'ml') },
  })
}

async function limitOf(name: string, version: string, dotPioreactor: string): Promise<number> {
  try {
    return findModel((await readModels(dotPioreactor)).models, name, version).reactor_max_fill_volume_ml
  } catch (error) {
    if (!(error instanceof UnknownModel)) throw error
    const { message: cause, remediation = '' } = error
    throw new UnknownModel('Unknown Pioreactor model.', { remediation, details: { cause } })
  }
}

/** Null when the configuration does not tell: then the start fails by it. */
async function volumeOf(book: LiquidBook, experiment: string, config: Admission['config']): Promise<number | null> {
  try {
    return book.peek(experiment, await config()).volume_ml
  } catch (error) {
    if (isInputError(error)) return null
    throw error
  }
}
