import { defineError } from '../../../events/core/errors.js'
import { hasRoom } from '../control/dosing/dose-plan.js'
import type { LiquidBook } from './liquid-book.js'

const NoRoom = defineError('dosing.no_room', 'input', 'The vial would be filled beyond what the model allows.', {
  remediation: 'Ask for less, or remove waste first.',
})

/** Refuses an addition before anything moves. The first sentence is that of a Pioreactor 26.7, whose clients show it.
 * @param field of the order that asks for it. @throws NoRoom */
export function demandRoom(book: LiquidBook, volumeMl: number, additionMl: number, field: string): void {
  const limit = book.model.reactor_max_fill_volume_ml
  if (additionMl <= 0 || hasRoom(volumeMl, additionMl, limit)) return
  throw new NoRoom(
    `Requested dose would meet or exceed the reactor safety threshold. ${field} adds ${additionMl.toFixed(3)} mL to ${volumeMl.toFixed(3)} mL; the vial may hold less than ${limit} mL.`,
    { details: { field, value: additionMl, limit, unit: 'mL' } },
  )
}
