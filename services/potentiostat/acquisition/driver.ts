import type { Clock } from '../../../events/ports.js'
import type { Potentiostat } from '../device/device.js'
import { drain, openCell, restPotential } from '../device/quiesce.js'
import {
  DEFAULT_FILTER_SAMPLES,
  dacPotentialV,
  type LiveValues,
  NOMINAL_PERIOD_S,
  tiaOhm,
} from '../device/registers.js'
import { GainNotSet, LimitPassedAtRest, MeasurementAborted, NothingEvaluated } from '../errors.js'
import { type ImpedanceRow, SpectrumAnalyser, sineSegments } from '../evaluation/impedance.js'
import { shareOf } from '../evaluation/run-warnings.js'
import type { AcquisitionStats } from './acquisition-stats.js'
import { CutOff } from './cut-off.js'
import { acquireFifo } from './fifo-acquisition.js'
import { acquireGalvanostatic } from './galvanostatic.js'
import type { ImpedancePlan, MeasurementPlan, Samples } from './plan.js'
import { chooseRange } from './range-probe.js'
import { hold } from './waveform.js'

/** Filter of an impedance measurement: ten times as fast as usual, so that the sine is not attenuated away. */
const IMPEDANCE_FILTER_SAMPLES = 10
/** Resistances are read back as float32. */
const OHM_TOLERANCE = 1e-4

export interface Measurement {
  readonly plan: MeasurementPlan
  /** 0–3; `auto` chooses by a probe, null leaves the gain as it is. */
  readonly gain: number | 'auto' | null
  /** Ends the measurement at once, cell open; its reason becomes the error's message. */
  readonly stop: AbortSignal
  onStart(startedAt: Date): void
  /** Raw samples in order; of an impedance measurement only the rows below. */
  onSamples(samples: Samples): void
  /** @param periodS true sample period. */
  onImpedance(row: ImpedanceRow, periodS: number): void
}

/** Executes one mode on one device and leaves the cell open, verified, on every path: drain, gain, first potential with the cell open,
 * acquisition, tear-down. `stats` is complete when this returns or throws.
 * @throws LabError of the acquisition; CellNotOpened when nothing confirms the open switch. */
export async function measure(
  device: Potentiostat,
  clock: Clock,
  measurement: Measurement,
  stats: AcquisitionStats,
): Promise<void> {
  try {
    await drain(device, clock)
    const gain = await gainFor(device, clock, measurement, stats)
    const front = await prepareGain(device, gain, stats)
    await acquireUntilCutOff(device, clock, measurement, front, stats)
  } finally {
    await openCell(device, clock)
    stats.cellOffVerified = true
  }
  if (stats.noResult) throw new NothingEvaluated()
}

async function gainFor(
  device: Potentiostat,
  clock: Clock,
  { gain, plan, stop }: Measurement,
  stats: AcquisitionStats,
): Promise<number | null> {
  if (gain !== 'auto') return gain
  stats.range = await chooseRange(device, clock, plan, stop)
  return stats.range?.tia_gain ?? null
}

/** What readings pass through. */
interface FrontEnd {
  readonly tiaOhm: number
  readonly filterSamples: number
}

async function prepareGain(device: Potentiostat, gain: number | null, stats: AcquisitionStats): Promise<FrontEnd> {
  if (gain !== null) await device.setGain(gain)
  const { tiaOhm: ohm } = await device.live()
  stats.tiaOhm = ohm
  if (gain !== null && Math.abs(ohm / tiaOhm(gain) - 1) > OHM_TOLERANCE) throw new GainNotSet(gain, tiaOhm(gain), ohm)
  return { tiaOhm: ohm, filterSamples: await device.filter() }
}

/** A limit that is reached ends the acquisition as if it were complete; the rows of the block that reached it are kept. */
async function acquireUntilCutOff(
  device: Potentiostat,
  clock: Clock,
  measurement: Measurement,
  front: FrontEnd,
  stats: AcquisitionStats,
): Promise<void> {
  const cutOff = new CutOff(measurement.plan.cutOff ?? {})
  const reached = new AbortController()
  const end = (limit: string | null): void => {
    stats.endedBy ??= limit
    if (stats.endedBy !== null) reached.abort(stats.endedBy)
  }
  const watched: Watched = {
    ...measurement,
    stop: AbortSignal.any([measurement.stop, reached.signal]),
    onSamples(samples) {
      stats.countSaturated(samples)
      measurement.onSamples(samples)
      if (measurement.plan.cutOff !== undefined) end(cutOff.reachedBy(samples))
    },
    onLive({ potentialV, potentialDacV }) {
      const ahead = cutOff.reachedAt(dacPotentialV(potentialDacV))
      end(
        cutOff.reachedAt(potentialV) ??
          (ahead === null ? null : `${ahead} by the output, which readings follow 18 ms later`),
      )
    },
    onRest(potentialV) {
      const passed = cutOff.reachedAt(potentialV)
      if (passed !== null) throw new LimitPassedAtRest(passed)
    },
  }
  try {
    await acquire(device, clock, watched, front, stats)
  } catch (error) {
    if (!(error instanceof MeasurementAborted) || !reached.signal.aborted || measurement.stop.aborted) throw error
  }
}

/** A measurement whose limits are watched. */
interface Watched extends Measurement {
  onLive(live: LiveValues): void
  onRest(potentialV: number): void
}

async function acquire(
  device: Potentiostat,
  clock: Clock,
  watched: Watched,
  front: FrontEnd,
  stats: AcquisitionStats,
): Promise<void> {
  const { plan, stop, onStart, onSamples, onLive, onRest } = watched
  switch (plan.control) {
    case 'potentiostatic': {
      const evaluation = plan.evaluate?.()
      await setFirstPotential(device, plan.segments())
      const keep = (samples: Samples): void => {
        evaluation?.add(samples)
        onSamples(samples)
      }
      const run = {
        ...front,
        segments: plan.segments,
        samples: plan.samples,
        closeCell: true,
        onStart,
        onSamples: keep,
      }
      await acquireFifo(device, clock, run, stats, stop)
      if (evaluation === undefined) return
      const result = evaluation.result()
      stats.evaluation = result.evaluation
      stats.noResult = result.evaluation === null
      for (const { code, message } of result.warnings) stats.warn(code, message)
      return
    }
    case 'open_circuit': {
      // Points are played with the cell open: they change nothing, and their count proves that no sample is missing.
      const segments = () => [hold(0, plan.samples)]
      const run = { ...front, segments, samples: plan.samples, closeCell: false, onStart, onSamples }
      await acquireFifo(device, clock, run, stats, stop)
      return
    }
    case 'galvanostatic':
      await acquireGalvanostatic(device, clock, { ...plan, ...front, onStart, onSamples, onLive, onRest }, stats, stop)
      return
    case 'impedance':
      await device.setFilter(IMPEDANCE_FILTER_SAMPLES)
      try {
        await acquireImpedance(device, clock, plan, watched, front, stats)
      } finally {
        // The cell comes first; what fails here fails the tear-down too.
        await device.setSwitch(false)
        await device.setFilter(DEFAULT_FILTER_SAMPLES)
      }
  }
}

async function acquireImpedance(
  device: Potentiostat,
  clock: Clock,
  plan: ImpedancePlan,
  { stop, onStart, onImpedance }: Pick<Measurement, 'stop' | 'onStart' | 'onImpedance'>,
  { tiaOhm: ohm }: FrontEnd,
  stats: AcquisitionStats,
): Promise<void> {
  const dcPotential = plan.dcPotential === 'ocp' ? await restPotential(device, clock) : plan.dcPotential
  const segments = () => sineSegments(plan.frequencies, dcPotential, plan.amplitudeV)
  await setFirstPotential(device, segments())
  // The first frequencies may be done before the device's period is known; their rows wait for it.
  const waiting: ImpedanceRow[] = []
  const release = (periodS: number): void => {
    for (const row of waiting.splice(0)) onImpedance(row, periodS)
  }
  const analyser = new SpectrumAnalyser(plan.frequencies, (row) => waiting.push(row), stats.saturation)
  const onSamples = (samples: Samples): void => {
    analyser.add(samples)
    if (stats.samplePeriodS !== null) release(stats.samplePeriodS)
  }
  const run = {
    segments,
    samples: plan.samples,
    closeCell: true,
    tiaOhm: ohm,
    filterSamples: IMPEDANCE_FILTER_SAMPLES,
    onStart,
    onSamples,
  }
  await acquireFifo(device, clock, run, stats, stop)
  release(stats.samplePeriodS ?? NOMINAL_PERIOD_S)
  if (analyser.refused === 0) return
  stats.noResult = analyser.refused === plan.frequencies.length
  const message = `The impedance is not computed at ${shareOf(analyser.refused, plan.frequencies.length, 'frequencies')}, because samples there are clipped.`
  stats.warn('not_evaluated', message)
}

async function setFirstPotential(device: Potentiostat, segments: Iterable<{ readonly from: number }>): Promise<void> {
  for (const { from } of segments) {
    await device.setPotential(from)
    return
  }
}
