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
import type { Observation } from './acquisition-stats.js'
import { CutOff } from './cut-off.js'
import { acquireFifo } from './fifo-acquisition.js'
import { acquireGalvanostatic } from './galvanostatic.js'
import type { ImpedancePlan, MeasurementPlan, RawRows } from './plan.js'
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
  onRows(rows: RawRows): void
  /** @param periodS true sample period. */
  onImpedance(row: ImpedanceRow, periodS: number): void
}

/** Executes one mode on one device and leaves the cell open, verified, on every path: drain, gain, first potential with the cell open,
 * acquisition, tear-down. `observation` is complete when this returns or throws.
 * @throws LabError of the acquisition; CellNotOpened when nothing confirms the open switch. */
export async function measure(
  device: Potentiostat,
  clock: Clock,
  measurement: Measurement,
  observation: Observation,
): Promise<void> {
  try {
    await drain(device, clock)
    const gain = await gainFor(device, clock, measurement, observation)
    const front = await prepareGain(device, gain, observation)
    await acquireUntilCutOff(device, clock, measurement, front, observation)
  } finally {
    await openCell(device, clock)
    observation.cellOffVerified = true
  }
  if (observation.noResult) throw new NothingEvaluated()
}

async function gainFor(
  device: Potentiostat,
  clock: Clock,
  { gain, plan, stop }: Measurement,
  observation: Observation,
): Promise<number | null> {
  if (gain !== 'auto') return gain
  observation.range = await chooseRange(device, clock, plan, stop)
  return observation.range?.tia_gain ?? null
}

/** What readings pass through. */
interface FrontEnd {
  readonly tiaOhm: number
  readonly filterSamples: number
}

async function prepareGain(device: Potentiostat, gain: number | null, observation: Observation): Promise<FrontEnd> {
  if (gain !== null) await device.setGain(gain)
  const { tiaOhm: ohm } = await device.live()
  observation.tiaOhm = ohm
  if (gain !== null && Math.abs(ohm / tiaOhm(gain) - 1) > OHM_TOLERANCE) throw new GainNotSet(gain, tiaOhm(gain), ohm)
  return { tiaOhm: ohm, filterSamples: await device.filter() }
}

/** A limit that is reached ends the acquisition as if it were complete; the rows of the block that reached it are kept. */
async function acquireUntilCutOff(
  device: Potentiostat,
  clock: Clock,
  measurement: Measurement,
  front: FrontEnd,
  observation: Observation,
): Promise<void> {
  const cutOff = new CutOff(measurement.plan.cutOff ?? {})
  const reached = new AbortController()
  const end = (limit: string | null): void => {
    observation.endedBy ??= limit
    if (observation.endedBy !== null) reached.abort(observation.endedBy)
  }
  const watched: Watched = {
    ...measurement,
    stop: AbortSignal.any([measurement.stop, reached.signal]),
    onRows(rows) {
      observation.countSaturated(rows)
      measurement.onRows(rows)
      if (measurement.plan.cutOff !== undefined) end(cutOff.reachedBy(rows))
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
    await acquire(device, clock, watched, front, observation)
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
  observation: Observation,
): Promise<void> {
  const { plan, stop, onStart, onRows, onLive, onRest } = watched
  switch (plan.control) {
    case 'potentiostatic': {
      const evaluation = plan.evaluate?.()
      await setFirstPotential(device, plan.segments())
      const keep = (rows: RawRows): void => {
        evaluation?.add(rows)
        onRows(rows)
      }
      const run = { ...front, segments: plan.segments, samples: plan.samples, closeCell: true, onStart, onRows: keep }
      await acquireFifo(device, clock, run, observation, stop)
      if (evaluation === undefined) return
      const result = evaluation.result()
      observation.evaluation = result.evaluation
      observation.noResult = result.evaluation === null
      for (const { code, message } of result.warnings) observation.warn(code, message)
      return
    }
    case 'open_circuit': {
      // Points are played with the cell open: they change nothing, and their count proves that no sample is missing.
      const segments = () => [hold(0, plan.samples)]
      const run = { ...front, segments, samples: plan.samples, closeCell: false, onStart, onRows }
      await acquireFifo(device, clock, run, observation, stop)
      return
    }
    case 'galvanostatic':
      await acquireGalvanostatic(
        device,
        clock,
        { ...plan, ...front, onStart, onRows, onLive, onRest },
        observation,
        stop,
      )
      return
    case 'impedance':
      await device.setFilter(IMPEDANCE_FILTER_SAMPLES)
      try {
        await acquireImpedance(device, clock, plan, watched, front, observation)
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
  observation: Observation,
): Promise<void> {
  const dcPotential = plan.dcPotential === 'ocp' ? await restPotential(device, clock) : plan.dcPotential
  const segments = () => sineSegments(plan.frequencies, dcPotential, plan.amplitudeV)
  await setFirstPotential(device, segments())
  // The first frequencies may be done before the device's period is known; their rows wait for it.
  const waiting: ImpedanceRow[] = []
  const release = (periodS: number): void => {
    for (const row of waiting.splice(0)) onImpedance(row, periodS)
  }
  const analyser = new SpectrumAnalyser(plan.frequencies, (row) => waiting.push(row), observation.saturation)
  const onRows = (rows: RawRows): void => {
    analyser.add(rows)
    if (observation.samplePeriodS !== null) release(observation.samplePeriodS)
  }
  const run = {
    segments,
    samples: plan.samples,
    closeCell: true,
    tiaOhm: ohm,
    filterSamples: IMPEDANCE_FILTER_SAMPLES,
    onStart,
    onRows,
  }
  await acquireFifo(device, clock, run, observation, stop)
  release(observation.samplePeriodS ?? NOMINAL_PERIOD_S)
  if (analyser.refused === 0) return
  observation.noResult = analyser.refused === plan.frequencies.length
  const message = `The impedance is not computed at ${shareOf(analyser.refused, plan.frequencies.length, 'frequencies')}, because samples there are clipped.`
  observation.warn('not_evaluated', message)
}

async function setFirstPotential(device: Potentiostat, segments: Iterable<{ readonly from: number }>): Promise<void> {
  for (const { from } of segments) {
    await device.setPotential(from)
    return
  }
}
