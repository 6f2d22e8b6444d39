import { configEvents } from '../../events/config/config.js'
import { descriptorEvents } from '../../events/descriptors/descriptors.js'
import { pluginEvents } from '../../events/plugins/plugins.js'
import type { PartAftermath } from '../aftermath/aftermath.js'

/** Nothing it said becomes false with it; the next life goes on from what is told. */
export const unitAdminPast: PartAftermath = {
  filters: [...configEvents, ...descriptorEvents, ...pluginEvents].map((event) => event.filter()),
  corrections: () => [],
}
