import { randomInt } from 'node:crypto'
import { listItems } from '../../events/core/setting.js'
import type { RetainedText } from '../aftermath/retained.js'
import { startJobService } from '../jobs/job-service.js'
import type { InstrumentContext } from '../runtime/instrument.js'
import type { Service } from '../runtime/service.js'
import { openBioreactor } from './board/open-bioreactor.js'
import { createBioreactorJobs } from './index.js'
import type { BioreactorSettings } from './instrument.js'

/** Uniform in [0, 1). */
const random = (): number => randomInt(2 ** 32) / 2 ** 32

/** Opens the board and offers its jobs. */
export async function startBioreactor(
  context: InstrumentContext<BioreactorSettings>,
  past: readonly RetainedText[],
): Promise<Service> {
  const { hardware, dotPioreactor, clock, settings } = context
  const bioreactor = await openBioreactor(hardware, { dotPioreactor }, clock)
  const jobs = createBioreactorJobs({ bioreactor, dotPioreactor, clock, random })
  return startJobService(context, past, jobs, listItems(settings.RESUME_JOBS))
}
