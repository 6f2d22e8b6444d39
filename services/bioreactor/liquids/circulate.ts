import { Type } from '@sinclair/typebox'
import { defineJob, type JobDefinition, type ParametersOf } from '../../../events/core/define-job.js'
import { createAction, type Job, type JobContext } from '../../jobs/job.js'
import { planCirculation } from '../control/dosing/circulation.js'
import { UNCALIBRATED_PUMP } from '../control/dosing/pump-curve.js'
import { type PumpActionDeps, sourceOfEvent } from './pump-action.js'
import { findPump, type PumpSpec, WASTE } from './pump-spec.js'
import { Pumps } from './pumps.js'

const circulation = <const Name extends string>(name: Name, help: string) =>
  defineJob({
    name,
    help,
    action: true,
    stopOrder: 'outputs',
    parameters: {
      duration: {
        schema: Type.Number({ minimum: 0 }),
        unit: 's',
        doc: 'How long the inflow is pulsed.',
        option: { help: '', required: true },
      },
      source_of_event: sourceOfEvent,
    },
  })

export const circulateMedia = circulation('circulate_media', 'Run the pumps of waste and media together.')
export const circulateAltMedia = circulation(
  'circulate_alt_media',
  'Run the pumps of waste and of the alternative media together.',
)

/** @param inflow name of the pump that adds. What both pumps move is told, as of any pump. */
export const createCirculation =
  (definition: typeof circulateMedia | typeof circulateAltMedia, inflow: string) =>
  (deps: PumpActionDeps): Job =>
    createAction<JobDefinition>(definition, (job, params) =>
      circulate(job, params as ParametersOf<typeof circulateMedia>, inflow, deps),
    )

async function circulate(
  job: JobContext,
  { duration, source_of_event: source }: ParametersOf<typeof circulateMedia>,
  name: string,
  deps: PumpActionDeps,
): Promise<void> {
  const { book, calibrations } = deps
  book.open(job.experiment, job.config)
  const inflow = await findPump(name, job.config, calibrations)
  const waste = await findPump(WASTE, job.config, calibrations)
  const curve = ({ isCalibrated, curve: known }: PumpSpec) => (isCalibrated ? known : null)
  const plan = planCirculation(duration, curve(inflow), curve(waste), UNCALIBRATED_PUMP)
  if (!inflow.isCalibrated || !waste.isCalibrated) {
    job.log('warning', 'Without calibrations of both pumps nobody knows that more can leave than comes.')
  }
  if (duration === 0) return
  const pumps = new Pumps(deps, job)
  const out = await pumps.claim(waste, plan.wasteS)
  const into = await pumps.claim(inflow, duration)
  // Either of them failing ends the other: the inflow must not go on without the waste pump.
  const failed = new AbortController()
  const stop = AbortSignal.any([job.ending, failed.signal])
  const together = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      failed.abort()
      throw error
    })
  const startMs = job.clock.monotonicMs()
  const pulse = async (): Promise<number> => {
    let movedMl = 0
    for (const { atS, forS } of plan.pulses) {
      await job.clock.sleepUntil(startMs + atS * 1000, stop)
      movedMl += (await into.run(forS, source, stop)).movedMl
    }
    return movedMl
  }
  const results = await Promise.allSettled([together(out.run(plan.wasteS, source, stop)), together(pulse())])
  await pumps.halt()
  await book.recorded()
  for (const result of results) if (result.status === 'rejected') throw result.reason
  const [wasted, added] = results
  if (wasted.status === 'fulfilled' && added.status === 'fulfilled') {
    job.log('info', `Circulated: ${added.value.toFixed(3)} mL came, ${wasted.value.movedMl.toFixed(3)} mL left.`)
  }
}
