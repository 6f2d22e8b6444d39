import { PUMP_CALIBRATION } from '../../../../events/bioreactor/liquids.js'
import { defineJob } from '../../../../events/core/define-job.js'
import type { JobContext } from '../../../jobs/job.js'
import { UNCALIBRATED_PUMP } from '../../control/dosing/pump-curve.js'
import { PartMissing } from '../../errors.js'
import { WASTE } from '../../liquids/pump-spec.js'
import { type PumpDeps, Pumps } from '../../liquids/pumps.js'
import type { PumpRun } from '../executor-port.js'

/** One run of a pump into a measuring glass. */
export const pumpCalibration = defineJob({
  name: PUMP_CALIBRATION,
  help: 'Run a pump for its calibration.',
  action: true,
  stopOrder: 'outputs',
  parameters: {},
})

/** Runs the pump as a dose does, but into no vial: its events say so, and no account changes. What it really moves is what the calibration is
 * to find; the events have what such a pump moves as a rule. */
export async function runPump(job: JobContext, { device, seconds, hz, dc }: PumpRun, deps: PumpDeps): Promise<void> {
  const name = device.replace(/_pump$/, '')
  const channel = job.config.channelOf('PWM', name)
  if (channel === undefined) {
    throw new PartMissing(`No PWM channel is labelled ${name}.`, { remediation: 'Label one in section [PWM].' })
  }
  const event = name === WASTE ? 'remove_waste' : `add_${name}`
  const spec = { name, event, channel, hz, dc, curve: UNCALIBRATED_PUMP, isCalibrated: false }
  await new Pumps(deps, job).once(spec, seconds, PUMP_CALIBRATION, job.ending)
  await deps.book.recorded()
}
