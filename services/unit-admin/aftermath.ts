import { configEvents } from '../../events/config/config.js'
import type { PartAftermath } from '../aftermath/aftermath.js'

/** Nothing it said becomes false with it; the next life goes on from what is told. */
export const unitAdminPast: PartAftermath = {
  filters: configEvents.map((event) => event.filter()),
  corrections: () => [],
}
