import { calibrationSessionEvent } from '../../../events/bioreactor/calibration-sessions.js'
import type { PartAftermath } from '../../aftermath/aftermath.js'

/** What was said of guided calibrations is true in the next life: they go on where they were. */
export const sessionsTold: PartAftermath = {
  filters: [calibrationSessionEvent.filter()],
  corrections: () => [],
}
