import type { Clock } from '../../events/ports.js'
import { CutOff } from './cut-off.js'
import type { Potentiostat } from './device.js'
import { GainNotSet, MeasurementAborted } from './errors.js'
import { acquireFifo } from './fifo-acquisition.js'
import { acquireGalvanostatic } from './galvanostatic.js'
import { type ImpedanceRow, SpectrumAnalyser, sineSegments } from './impedance.js'
import type { Observation } from './observation.js'
import type { ImpedancePlan, MeasurementPlan, RawRows } from './plan.js'
import { DEFAULT_FILTER_SAMPLES, NOMINAL_PERIOD_S, tiaOhm } from './registers.js'
import { drain, openCell, restPotential } from './rest.js'
import { hold } from './waveform.js'

/** Filter of an impedance measurement: ten times as fast as usual, so that the sine is not attenuated away. */
const IMPEDANCE_FILTER_SAMPLES = 10
/** Resistances are read back as float32. */
const OHM_TOLERANCE = 1e-4

export interface Measurement {
  readonly plan: MeasurementPlan
  /** 0–3; null leaves the gain as it is. */
  readonly gain: number | null
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
    await prepareGain(device, measurement.gain, observation)
    await acquireUntilCutOff(device, clock, measurement, observation)
  } finally {
    await openCell(device, clock)
    observation.cellOffVerified = true
  }
}

async function prepareGain(device: Potentiostat, gain: number | null, observation: Observation): Promise<void> {
  if (gain !== null) await device.setGain(gain)
  const { tiaOhm: ohm } = await device.live()
  observation.tiaOhm = ohm
  if (gain !== null && Math.abs(ohm / tiaOhm(gain) - 1) > OHM_TOLERANCE) throw new GainNotSet(gain, tiaOhm(gain), ohm)
}

/** A limit that is reached ends the acquisition as if it were complete; the rows of the block that reached it are kept. */
async function acquireUntilCutOff(
  device: Potentiostat,
  clock: Clock,
  measurement: Measurement,
  observation: Observation,
): Promise<void> {
  const { cutOff: limits } = measurement.plan
  if (limits === undefined) return acquire(device, clock, measurement, observation)
  const cutOff = new CutOff(limits)
  const reached = new AbortController()
  const onRows = (rows: RawRows): void => {
    measurement.onRows(rows)
    observation.endedBy ??= cutOff.reachedBy(rows)
    if (observation.endedBy !== null) reached.abort(observation.endedBy)
  }
  const stop = AbortSignal.any([measurement.stop, reached.signal])
  try {
    await acquire(device, clock, { ...measurement, stop, onRows }, observation)
  } catch (error) {
    if (!(error instanceof MeasurementAborted) || !reached.signal.aborted || measurement.stop.aborted) throw error
  }
}

async function acquire(
  device: Potentiostat,
  clock: Clock,
  { plan, stop, onStart, onRows, onImpedance }: Measurement,
  observation: Observation,
): Promise<void> {
  switch (plan.control) {
    case 'potentiostatic': {
      const evaluation = plan.evaluate?.()
      await setFirstPotential(device, plan.segments())
      const keep = (rows: RawRows): void => {
        evaluation?.add(rows)
        onRows(rows)
      }
      const run = { segments: plan.segments, samples: plan.samples, closeCell: true, onStart, onRows: keep }
      await acquireFifo(device, clock, run, observation, stop)
      observation.evaluation = evaluation?.result() ?? null
      return
    }
    case 'open_circuit': {
      // Points are played with the cell open: they change nothing, and their count proves that no sample is missing.
      const segments = () => [hold(0, plan.samples)]
      await acquireFifo(
        device,
        clock,
        { segments, samples: plan.samples, closeCell: false, onStart, onRows },
        observation,
        stop,
      )
      return
    }
    case 'galvanostatic':
      await acquireGalvanostatic(device, clock, { ...plan, onStart, onRows }, observation, stop)
      return
    case 'impedance':
      await device.setFilter(IMPEDANCE_FILTER_SAMPLES)
      try {
        await acquireImpedance(device, clock, plan, { stop, onStart, onImpedance }, observation)
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
  const analyser = new SpectrumAnalyser(plan.frequencies, (row) => waiting.push(row))
  const onRows = (rows: RawRows): void => {
    analyser.add(rows)
    if (observation.samplePeriodS !== null) release(observation.samplePeriodS)
  }
  await acquireFifo(
    device,
    clock,
    { segments, samples: plan.samples, closeCell: true, onStart, onRows },
    observation,
    stop,
  )
  release(observation.samplePeriodS ?? NOMINAL_PERIOD_S)
}

async function setFirstPotential(device: Potentiostat, segments: Iterable<{ readonly from: number }>): Promise<void> {
  for (const { from } of segments) {
    await device.setPotential(from)
    return
  }
}
