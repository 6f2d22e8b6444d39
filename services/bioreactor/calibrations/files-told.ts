import { CALIBRATION, ESTIMATOR } from '../../../events/bioreactor/artifacts.js'
import type { PartAftermath } from '../../aftermath/aftermath.js'

/** What was said of the files in earlier lives is true until they have been looked through. */
export const filesTold: PartAftermath = {
  filters: [CALIBRATION, ESTIMATOR].flatMap(({ events: { file, active } }) => [file.filter(), active.filter()]),
  corrections: () => [],
}
