import { renameSync } from 'node:fs'
import { CALIBRATION, ESTIMATOR } from '../../../events/bioreactor/artifacts.js'
import type { Clock, Logger } from '../../../events/ports.js'
import type { RetainedText } from '../../aftermath/retained.js'
import { ActivePointers, pointersPath } from './active-pointers.js'

interface RecoverDeps {
  readonly unit: string
  readonly clock: Clock
  readonly logger: Logger
  readonly dotPioreactor: string
}

/** When the key-value file is no database any more, puts it aside, under a name with the time, and enters what was said to be in use last: the
 * log knows it. What else a Pioreactor kept there is in the file that was put aside. */
export function recoverPointers(deps: RecoverDeps, past: readonly RetainedText[]): void {
  const { unit, clock, logger, dotPioreactor } = deps
  try {
    if (!new ActivePointers(dotPioreactor, 'active_calibrations').isDamaged()) return
    const path = pointersPath(dotPioreactor)
    const aside = `${path}.damaged-${clock.now().getTime()}`
    renameSync(path, aside)
    for (const { plural, events } of [CALIBRATION, ESTIMATOR]) {
      const pointers = new ActivePointers(dotPioreactor, `active_${plural}`)
      for (const value of past) {
        const levels = events.active.levels(value.topic)
        if (levels?.unit !== unit) continue
        const { name } = events.active.parse(value.text)
        if (name !== null) pointers.set(levels.device, name)
      }
    }
    logger.error({ aside }, 'the store of what is in use was damaged; it was made anew from the log')
  } catch (error) {
    logger.error({ err: error }, 'the store of what is in use is damaged and cannot be made anew')
  }
}
