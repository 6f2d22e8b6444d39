import type { Clock } from '../../../events/ports.js'
import type { RangeChoice } from '../../../events/potentiostat/mode-report.js'
import { retry } from '../../../primitives/retry.js'
import { ModbusTimeout } from '../../transport/modbus-client.js'
import { isRunning, type Potentiostat } from '../device/device.js'
import { drain, openCell, runEnded } from '../device/quiesce.js'
import {
  BLOCK_REGISTERS,
  DEFAULT_FILTER_SAMPLES,
  fullScaleCurrentA,
  NOMINAL_PERIOD_S,
  REGISTERS_PER_POINT,
  tiaOhm,
  tiaOhms,
} from '../device/registers.js'
import { MeasurementAborted, MeasurementInterrupted } from '../errors.js'
import { sineSegments } from '../evaluation/impedance.js'
import { nineDigits } from '../evaluation/samples.js'
import { BLOCK_PAIRS, PairIntake } from './pair-intake.js'
import type { GalvanostaticPlan, ImpedancePlan, MeasurementPlan, PotentiostaticPlan } from './plan.js'
import { hold, type Segment, WaveformCursor } from './waveform.js'

/** Points of one write, and of a probe: 43 ms. */
const BLOCK_POINTS = BLOCK_REGISTERS / REGISTERS_PER_POINT
const PROBE_POINTS = 2 * BLOCK_POINTS
/** The range has room for so much more than the expected current. */
const HEADROOM = 1.5
/** A running average of 0.7 ms: short, but no two transfers begin with equal readings, which tell them apart when a reply is lost. */
const FILTER_SAMPLES = 4
/** Time in which that average forgets what was before, ms. */
const FORGOTTEN_MS = 8
/** Samples at the start that only charge the double layer. */
const CHARGING = 3
/** Samples averaged against noise, and at the end of the probe. */
const SMOOTH = 5
const LATE = 20
/** Closer than this to the cell's own potential, V, the probe tells nothing of other potentials. */
const INFORMATIVE_V = 0.05
/** Extremes of a waveform show in so many of its segments. */
const MOST_SEGMENTS = 50_000
const ATTEMPTS = 5
/** Transfers that a damaged request, or a device without pairs, may refuse. */
const MOST_REFUSED = 10

/** Chooses the range for a mode: the most sensitive one that holds the current expected. Where the mode controls the current, that is
 * asked for; else the cell is probed for 43 ms, in the least sensitive range, with the potential the mode starts at. Where the mode leaves
 * that potential, the current is expected to grow with the distance from the potential of the open cell; when the start is too close to it to
 * tell, the least sensitive range is taken, since a clipped current is worth less than a noisy one. The cell is open before and after.
 * @returns null where no current flows. */
export async function chooseRange(
  device: Potentiostat,
  clock: Clock,
  plan: MeasurementPlan,
  stop: AbortSignal,
): Promise<RangeChoice | null> {
  switch (plan.control) {
    case 'open_circuit':
      return null
    case 'galvanostatic':
      return choice(largestTarget(plan), null)
    default:
      return probe(device, clock, plan, stop)
  }
}

async function probe(
  device: Potentiostat,
  clock: Clock,
  plan: PotentiostaticPlan | ImpedancePlan,
  stop: AbortSignal,
): Promise<RangeChoice> {
  await device.setGain(0)
  await device.setFilter(FILTER_SAMPLES)
  try {
    await clock.sleepUntil(clock.monotonicMs() + FORGOTTEN_MS, stop)
    const rest = await restingCell(device)
    const segments = [...probeSegments(plan, rest.potentialV)]
    const { values } = new WaveformCursor(segments).take(PROBE_POINTS)
    const currents = (await played(device, clock, values, stop)).map((ampere) => ampere - rest.currentA)
    const potentialV = plan.control === 'impedance' ? extreme(values, rest.potentialV) : (values[0] ?? 0)
    const late = mean(currents.slice(-LATE))
    return choice(expected(plan, currents, late, rest.potentialV, potentialV), {
      rest_v: nineDigits(rest.potentialV),
      potential_v: nineDigits(potentialV),
      duration_s: nineDigits(currents.length * NOMINAL_PERIOD_S),
      charge_c: nineDigits(currents.reduce((sum, ampere) => sum + ampere * NOMINAL_PERIOD_S, 0)),
      current_a: nineDigits(late),
    })
  } finally {
    await device.setFilter(DEFAULT_FILTER_SAMPLES)
  }
}

/** Average of a few looks: the readings are hardly filtered. */
async function restingCell(device: Potentiostat): Promise<{ readonly potentialV: number; readonly currentA: number }> {
  const looks = []
  for (let i = 0; i < SMOOTH; i++) looks.push(await device.live())
  return {
    potentialV: mean(looks.map(({ potentialV }) => potentialV)),
    currentA: mean(looks.map(({ currentA }) => currentA)),
  }
}

/** The potential that a mode starts at; of a spectrum the fastest sine, or where it is slow its peak. */
function* probeSegments(plan: PotentiostaticPlan | ImpedancePlan, restV: number): Generator<Segment> {
  if (plan.control === 'potentiostatic') {
    for (const { from } of plan.segments()) {
      yield hold(from, PROBE_POINTS)
      return
    }
    return
  }
  const { frequencies, amplitudeV } = plan
  const centreV = plan.dcPotential === 'ocp' ? restV : plan.dcPotential
  const fastest = [...frequencies].sort((a, b) => b.cycles / b.points - a.cycles / a.points)[0]
  if (fastest !== undefined && (fastest.cycles / fastest.points) * PROBE_POINTS > 2) {
    yield* sineSegments([{ ...fastest, settle: PROBE_POINTS }], centreV, amplitudeV)
  } else yield hold(centreV + amplitudeV, PROBE_POINTS)
}

/** Plays points on the cell once and returns the currents, A, one per point. The stop is asked for before the start: the device opens the
 * cell by itself when it has played the last point, whatever becomes of us meanwhile. */
async function played(
  device: Potentiostat,
  clock: Clock,
  values: Float32Array,
  stop: AbortSignal,
): Promise<readonly number[]> {
  const recover = async (): Promise<void> => {
    await openCell(device, clock)
    await drain(device, clock)
  }
  return retry({ attempts: ATTEMPTS, isWorthAnother: (error) => error instanceof ModbusTimeout, recover }, async () => {
    if (stop.aborted) throw new MeasurementAborted(String(stop.reason))
    await device.setPotential(values[0] ?? 0)
    await device.queuePoints(values.subarray(0, BLOCK_POINTS))
    await device.queuePoints(values.subarray(BLOCK_POINTS))
    await device.clearPairs()
    const intake = new PairIntake(device)
    await intake.prepare()
    await device.latchStop()
    await startProbe(device)
    await runEnded(device, clock)
    // The first pair is that of the time before the first point.
    return (await takeAll(intake, values.length + 1)).slice(1)
  })
}

/** An unanswered start is not repeated: one that the device received may be over, and another would not end by itself. */
async function startProbe(device: Potentiostat): Promise<void> {
  try {
    await device.fifoStart(true)
  } catch (error) {
    if (!(error instanceof ModbusTimeout) || !isRunning(await device.live())) throw error
  }
}

async function takeAll(intake: PairIntake, count: number): Promise<readonly number[]> {
  const currents: number[] = []
  for (let refused = 0; currents.length < count; ) {
    const pairs = await intake.take(Math.min(BLOCK_PAIRS, count - currents.length))
    if (pairs === null && ++refused > MOST_REFUSED) {
      throw new MeasurementInterrupted(`The device recorded fewer than the ${count} samples of a probe.`)
    }
    currents.push(...(pairs?.current ?? []))
  }
  return currents
}

/** |current| that a mode will need, A; null when the probe cannot tell. */
function expected(
  plan: PotentiostaticPlan | ImpedancePlan,
  currents: readonly number[],
  late: number,
  restV: number,
  probedV: number,
): number | null {
  const early = largest(smoothed(currents.slice(CHARGING)))
  if (plan.control === 'impedance') return early
  const probedDistance = Math.abs(probedV - restV)
  const farthest = farthestFrom(restV, plan)
  if (farthest <= Math.max(probedDistance, INFORMATIVE_V / 5)) return early
  if (probedDistance < INFORMATIVE_V) return null
  return Math.max(early, (Math.abs(late) * farthest) / probedDistance)
}

/** Largest distance of a waveform from a potential, V. */
function farthestFrom(potentialV: number, plan: PotentiostaticPlan): number {
  let distance = 0
  let seen = 0
  for (const { from, to } of plan.segments()) {
    distance = Math.max(distance, Math.abs(from - potentialV), Math.abs(to - potentialV))
    if (++seen >= MOST_SEGMENTS) break
  }
  return distance
}

function largestTarget(plan: GalvanostaticPlan): number {
  let most = 0
  let seen = 0
  for (const { from } of plan.segments()) {
    most = Math.max(most, Math.abs(from))
    if (++seen >= MOST_SEGMENTS) break
  }
  return most
}

const choice = (expectedA: number | null, probed: RangeChoice['probe']): RangeChoice => ({
  tia_gain: expectedA === null ? 0 : gainHolding(HEADROOM * expectedA),
  expected_a: expectedA === null ? null : nineDigits(expectedA),
  probe: probed,
})

/** The most sensitive gain whose full scale holds a current; 0 when none does. */
function gainHolding(ampere: number): number {
  for (let gain = tiaOhms.length - 1; gain > 0; gain--) if (ampere <= fullScaleCurrentA(tiaOhm(gain))) return gain
  return 0
}

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

const largest = (values: readonly number[]): number =>
  values.reduce((most, value) => Math.max(most, Math.abs(value)), 0)

const smoothed = (values: readonly number[]): readonly number[] =>
  values.slice(SMOOTH - 1).map((_, index) => mean(values.slice(index, index + SMOOTH)))

/** The value farthest from a centre. */
const extreme = (values: Float32Array, centre: number): number =>
  values.reduce((most, value) => (Math.abs(value - centre) > Math.abs(most - centre) ? value : most), centre)
