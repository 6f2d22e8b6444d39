import { Type } from '@sinclair/typebox'
import { defineJob, type ParametersOf } from '../../../events/core/define-job.js'
import { createAction, type Job, type JobContext } from '../../jobs/job.js'
import { sleepS } from '../../runtime/repeat.js'
import { evolveLiquid } from '../control/dosing/liquid.js'
import { pumpSeconds } from '../control/dosing/pump-curve.js'
import { type PumpStep, parsePumpScript } from '../control/dosing/pump-script.js'
import type { PumpActionDeps } from './pump-action.js'
import { demandCalibration, findPump, type PumpSpec, WASTE } from './pump-spec.js'
import { Pumps } from './pumps.js'
import { demandRoom } from './room.js'

const NAMES = ['media', 'alt_media', WASTE]
const SOURCE = 'CLI'

export const pumpScript = defineJob({
  name: 'pumps',
  help: 'Run pumps one after the other, by a script.',
  action: true,
  stopOrder: 'outputs',
  parameters: {
    pump_script: {
      schema: Type.Array(Type.String()),
      doc: 'Pairs such as `--media 2 --sleep 1 --waste 2`: mL for a pump, s for a pause.',
      argument: { type: 'text' },
    },
  },
})

export const createPumpScript = (deps: PumpActionDeps): Job =>
  createAction(pumpScript, (job, params) => runScript(job, params, deps))

async function runScript(
  job: JobContext,
  { pump_script }: ParametersOf<typeof pumpScript>,
  deps: PumpActionDeps,
): Promise<void> {
  const { book, calibrations } = deps
  const steps = parsePumpScript(pump_script, NAMES)
  book.open(job.experiment, job.config)
  const specs = new Map<string, PumpSpec>()
  for (const step of steps) {
    if (step.kind === 'sleep' || specs.has(step.pump)) continue
    const spec = await findPump(step.pump, job.config, calibrations)
    demandCalibration(spec)
    specs.set(step.pump, spec)
  }
  rehearse(steps, specs, job, deps)
  const pumps = new Pumps(deps, job)
  for (const step of steps) {
    if (job.ending.aborted) return
    const spec = step.kind === 'pump' ? specs.get(step.pump) : undefined
    if (step.kind === 'sleep') await sleepS(job.clock, step.seconds, job.ending)
    else if (spec !== undefined) await pumps.once(spec, pumpSeconds(spec.curve, step.ml), SOURCE, job.ending)
  }
  await book.recorded()
}

/** The whole script must be possible before its first step. @throws LabError */
function rehearse(
  steps: readonly PumpStep[],
  specs: ReadonlyMap<string, PumpSpec>,
  job: JobContext,
  { book }: PumpActionDeps,
): void {
  let liquid = book.liquid(job.experiment)
  for (const step of steps) {
    const spec = step.kind === 'pump' ? specs.get(step.pump) : undefined
    if (step.kind === 'sleep' || spec === undefined) continue
    pumpSeconds(spec.curve, step.ml)
    if (step.pump !== WASTE) demandRoom(book, liquid.volume_ml, step.ml, `--${step.pump} ${step.ml}`)
    liquid = evolveLiquid(liquid, { event: spec.event, volume_change: step.ml }, book.model.reactor_capacity_ml)
  }
}
