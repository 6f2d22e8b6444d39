import { defineJob } from '../../../../events/core/define-job.js'
import type { JobContext, StartedPeer } from '../../../jobs/job.js'
import { configuredParameters } from '../../../jobs/resolve-parameters.js'
import { sleepS } from '../../../runtime/repeat.js'
import type { Bioreactor } from '../../board/board.js'
import type { LedBoard } from '../../board/led-board.js'
import { mean } from '../../control/statistics.js'
import type { ExperimentStore } from '../../experiment-store.js'
import { readPhotodiodes } from '../../od/od-optics.js'
import { odReading } from '../../od/od-reading.js'
import { openOdReader } from '../../od/open-od-reader.js'
import { irIntensity } from '../protocols/optics.js'
import { MAX_RPM } from '../protocols/steps.js'

/** Readings to let light and electronics settle. */
const DISCARDED = 3
const DISCARD_EVERY_S = 1
const READINGS = 3
const READ_EVERY_S = 3
/** The bar is waited for so long, s; a bar that keeps away from its speed is told of and measured as it is. */
const SPEED_WAIT_S = 60
/** Off the target, RPM; then the speed counts as reached. */
const NEAR_RPM = 120
const NEAR_FUSION_RPM = 60
const CALM_S = 1
/** An estimator is to hold however the bar turns: shares of the speed, in turn, and the time to get there, s. */
const SPEED_SHARES = [0.9, 1.1, 0.8, 1.2]
const SPEED_CHANGE_S = 2

/** A measurement of what is in the holder. */
export const odCalibration = defineJob({
  name: 'od_calibration',
  help: 'Measure the light of a standard.',
  action: true,
  parameters: {},
})

export interface OdMeasurementDeps {
  readonly bioreactor: Bioreactor
  readonly leds: LedBoard
  readonly store: ExperimentStore
  /** Whose first reading the light is relative to: that of a session, so that its standards compare. */
  readonly reference: string
}

/** One reading by photodiode or by angle. */
type Reading = Readonly<Record<string, number>>

/** Mean raw readings by photodiode, at a steady speed. Source: Pioreactor 26.7 `standards` */
export async function measureStandard(job: JobContext, rpm: number, deps: OdMeasurementDeps): Promise<Reading> {
  await stir(job, rpm, NEAR_RPM)
  await pause(job, CALM_S)
  const read = await openReadings(job, deps)
  const readings: Reading[] = []
  for (let taken = 0; taken < READINGS; taken++) {
    if (taken > 0) await pause(job, READ_EVERY_S)
    readings.push((await read()).byChannel)
  }
  return meanOf(readings)
}

/** Raw readings by angle at changing speeds; those of several photodiodes at one angle are averaged.
 * Source: Pioreactor 26.7 `od_fusion_standards` */
export async function observeForFusion(
  job: JobContext,
  rpm: number,
  repeats: number,
  deps: OdMeasurementDeps,
): Promise<readonly Reading[]> {
  const stirring = await stir(job, rpm, NEAR_FUSION_RPM)
  const read = await openReadings(job, deps)
  const samples: Reading[] = []
  for (let taken = 0; taken < repeats; taken++) {
    samples.push((await read()).byAngle)
    const share = SPEED_SHARES[taken % SPEED_SHARES.length] ?? 1
    await stirring.update(new Map([['target_rpm', Math.min(MAX_RPM, rpm * share)]]))
    await pause(job, SPEED_CHANGE_S)
  }
  return samples
}

async function openReadings(job: JobContext, deps: OdMeasurementDeps) {
  const photodiodes = readPhotodiodes(job.config)
  const { bioreactor, leds, store, reference: experiment } = deps
  const params = configuredParameters(odReading, job.config)
  const reader = await openOdReader(job, params, { bioreactor, leds, store, photodiodes, experiment, blank: {} })
  job.atEnd(() => reader.darken())
  const intensity = await reader.prepare(irIntensity(job.config), job.ending)
  // Nothing ties a reading to the one before: that may have been another speed.
  const read = () => reader.read(intensity, null, 0, job.ending)
  for (let discarded = 0; discarded < DISCARDED; discarded++) {
    await read()
    await pause(job, DISCARD_EVERY_S)
  }
  return async () => {
    const { raw } = await read()
    const angles = [...new Set(raw.map(({ angle }) => angle))]
    return {
      byChannel: Object.fromEntries(raw.map(({ channel, od }) => [channel, od])),
      byAngle: Object.fromEntries(
        angles.map((angle) => [angle, mean(raw.filter((one) => one.angle === angle).map(({ od }) => od))]),
      ),
    }
  }
}

const meanOf = (readings: readonly Reading[]): Reading =>
  Object.fromEntries(
    Object.keys(readings[0] ?? {}).map((name) => [name, mean(readings.map((reading) => reading[name] ?? Number.NaN))]),
  )

/** Stirring that ends with this job, at its speed or told of. */
async function stir(job: JobContext, rpm: number, nearRpm: number): Promise<StartedPeer> {
  const { clock } = job
  const stirring = await job.startJob('stirring', { target_rpm: rpm }, job.experiment)
  const untilMs = clock.monotonicMs() + SPEED_WAIT_S * 1000
  while (!isNear(stirring, rpm, nearRpm)) {
    if (clock.monotonicMs() >= untilMs) {
      job.log(
        'warning',
        `Stirring has not come to ${rpm} RPM in ${SPEED_WAIT_S} s; the standard is measured all the same.`,
      )
      break
    }
    await pause(job, 1)
  }
  return stirring
}

function isNear(stirring: StartedPeer, target: number, nearRpm: number): boolean {
  const { measured_rpm: rpm } = (stirring.value('measured_rpm') ?? {}) as { measured_rpm?: number }
  return target === 0 || (rpm !== undefined && Math.abs(rpm - target) <= nearRpm)
}

async function pause({ clock, ending }: JobContext, seconds: number): Promise<void> {
  await sleepS(clock, seconds, ending)
  ending.throwIfAborted()
}
