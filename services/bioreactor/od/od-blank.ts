import { Type } from '@sinclair/typebox'
import { blankMeanEvent, blankMeansEvent } from '../../../events/bioreactor/blanks.js'
import { ledsEvent, pwmEvent } from '../../../events/bioreactor/outputs.js'
import { type ODReading, ODReadings } from '../../../events/bioreactor/readings.js'
import { defineJob } from '../../../events/core/define-job.js'
import { defineError } from '../../../events/core/errors.js'
import { timestampOf } from '../../../events/core/timestamp.js'
import { violations } from '../../../events/schema.js'
import { jobTopic } from '../../../events/topic.js'
import { createAction, type Job, type JobContext, type JobPeer } from '../../jobs/job.js'
import { sleepS } from '../../runtime/repeat.js'
import { PD_CHANNELS } from '../board/board.js'
import { mean } from '../control/statistics.js'
import type { ExperimentStore } from '../experiment-store.js'
import { removeBlank, writeBlank } from './blank.js'
import { forgetReference } from './ir-reference.js'

const OdReadingRuns = defineError('od.runs', 'state', '`od_reading` runs, and what is asked for needs its photodiodes.')
const BlankIncomplete = defineError('od.blank_incomplete', 'hardware', 'Too few readings came for a blank.')

const INTERVAL_S = 1.5
const STIRRING_RPM = 500
const STIRRING_WAIT_S = 40
/** Of the target; then the speed counts as reached. */
const STIRRING_TOLERANCE = 0.1
/** So many of the lowest and of the highest readings do not count. */
const TRIMMED = 2
const PROGRESS_EVERY = 10

/** Source of names and defaults: Pioreactor 26.7 `od_blank`. */
export const odBlank = defineJob({
  name: 'od_blank',
  help: 'Measure what the photodiodes see of medium without cells; od_reading subtracts it from its next start on.',
  action: true,
  parameters: {
    n_samples: {
      schema: Type.Integer({ minimum: 2 * TRIMMED + 1, maximum: 1000 }),
      doc: 'Readings to take.',
      option: true,
      default: 30,
    },
  },
})

export interface OdBlankDeps {
  readonly store: ExperimentStore
}

export const createOdBlankAction = ({ store }: OdBlankDeps): Job =>
  createAction(odBlank, async (job, { n_samples: count }) => {
    if (job.peers.find('od_reading') !== undefined) {
      throw new OdReadingRuns('od_reading runs.', { remediation: 'Stop od_reading, then measure the blank.' })
    }
    const scratch = `_testing_${job.experiment}`
    await forgetReference(store, scratch)
    // Registered first, so that it runs after the jobs begun here have ended.
    job.atEnd(async () => {
      clearScratch(job, scratch)
      await forgetReference(store, scratch)
    })
    await stir(job, scratch)
    const od = await job.startJob('od_reading', { interval: INTERVAL_S }, scratch)
    await publishBlank(job, await gather(job, od, count), store)
  })

/** At the speed of an experiment, because a resting bar throws its shadow. */
async function stir(job: JobContext, scratch: string): Promise<void> {
  if (job.peers.find('stirring') !== undefined) return
  const { clock, ending } = job
  const stirring = await job.startJob('stirring', { target_rpm: STIRRING_RPM }, scratch)
  const untilMs = clock.monotonicMs() + STIRRING_WAIT_S * 1000
  while (!isNear(stirring)) {
    if (clock.monotonicMs() >= untilMs) {
      job.log('warning', `Stirring has not come to ${STIRRING_RPM} RPM in ${STIRRING_WAIT_S} s.`)
      return
    }
    await sleepS(clock, 1, ending)
    ending.throwIfAborted()
  }
}

function isNear(stirring: JobPeer): boolean {
  const { measured_rpm: rpm } = (stirring.value('measured_rpm') ?? {}) as { measured_rpm?: number }
  return rpm !== undefined && Math.abs(rpm / STIRRING_RPM - 1) <= STIRRING_TOLERANCE
}

/** So many readings of all channels. @throws BlankIncomplete when too many are lost, or od_reading ends */
async function gather(job: JobContext, od: JobPeer, count: number): Promise<readonly ODReadings[]> {
  const { clock, ending } = job
  const batches: ODReadings[] = []
  const take = (): void => {
    const ods = od.value('ods')
    if (violations(ODReadings, ods).length > 0) return
    const batch = ods as ODReadings
    if (batches.length >= count || batches.at(-1)?.timestamp === batch.timestamp) return
    batches.push(batch)
    if (batches.length % PROGRESS_EVERY === 0) job.log('info', `Blank: ${batches.length} of ${count} readings.`)
  }
  job.atEnd(job.peers.watch('od_reading', take))
  const untilMs = clock.monotonicMs() + (2 * count + 10) * INTERVAL_S * 1000
  while (batches.length < count) {
    if (clock.monotonicMs() >= untilMs || od.state === 'disconnected') {
      throw new BlankIncomplete(`${batches.length} of ${count} readings came.`, {
        remediation: 'See in the log why readings were lost.',
      })
    }
    await sleepS(clock, INTERVAL_S / 3, ending)
    ending.throwIfAborted()
  }
  return batches
}

/** Keeps and publishes the means of a channel, without its lowest and highest readings. */
async function publishBlank(job: JobContext, batches: readonly ODReadings[], store: ExperimentStore): Promise<void> {
  const { unit, experiment } = job
  const timestamp = timestampOf(job.clock.now())
  const means = new Map<string, ODReading>()
  for (const [channel, reading] of Object.entries(batches[0]?.ods ?? {})) {
    const ods = batches.flatMap((batch) => batch.ods[channel]?.od ?? []).sort((one, other) => one - other)
    const od = mean(ods.slice(TRIMMED, -TRIMMED))
    if (od === 0) job.log('warning', `Photodiode ${channel} sees nothing at all; check it and the IR LED.`)
    if (reading.calibrated === 1) {
      const name = reading.calibration_name
      job.log('warning', `Channel ${channel} is calibrated by '${name}': od_reading takes either that or a blank.`)
    }
    means.set(channel, { ...reading, od, timestamp })
  }
  const blank = Object.fromEntries([...means].map(([channel, { od }]) => [channel, od]))
  await writeBlank(store, experiment, blank)
  job.emit(blankMeansEvent, blank)
  for (const [channel, reading] of means) job.emit(blankMeanEvent, reading, { channel })
  job.log('info', `Blank of ${unit}: ${JSON.stringify(blank)}.`)
}

/** The scratch experiment is to leave nothing behind. */
function clearScratch(job: JobContext, scratch: string): void {
  const { unit } = job
  for (const name of ['od_reading', 'stirring']) job.clear(jobTopic(unit, scratch, name, '$state'))
  for (const event of [ledsEvent, pwmEvent]) job.clear(event.topic({ unit, experiment: scratch }))
}

export const deleteBlank = defineJob({
  name: 'od_blank delete',
  help: 'Forget the blank of an experiment; od_reading goes on without it from its next start on.',
  action: true,
  parameters: {
    experiment: {
      schema: Type.String({ minLength: 1 }),
      doc: 'Whose blank; by default that of the experiment it runs in.',
      option: true,
    },
  },
})

export const createDeleteBlankAction = ({ store }: OdBlankDeps): Job =>
  createAction(deleteBlank, async (job, { experiment = job.experiment }) => {
    const { unit } = job
    const means = jobTopic(unit, experiment, 'od_blank', 'means')
    const had = await removeBlank(store, experiment)
    job.clear(means)
    for (const channel of PD_CHANNELS) job.clear(blankMeanEvent.topic({ unit, experiment, channel }))
    job.log('info', had ? `The blank of '${experiment}' is forgotten.` : `'${experiment}' had no blank.`)
  })
