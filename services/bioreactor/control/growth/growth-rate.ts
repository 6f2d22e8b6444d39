import { type Static, Type } from '@sinclair/typebox'
import { median } from '../statistics.js'
import { GrowthFilter, growthStep } from './growth-filter.js'
import { startFilter } from './od-statistics.js'

const NumberByChannel = Type.Record(Type.String(), Type.Number())

/** Everything `growth_rate_calculating` knows between two messages: plain JSON, checked when it is restored. */
export const GrowthState = Type.Object({
  /** First readings after a start that are not looked at. */
  toSkip: Type.Integer({ minimum: 0 }),
  /** OD by channel of the readings gathered for the statistics. */
  warmUp: Type.Array(NumberByChannel),
  /** OD that counts as 1, by channel; learned in the first warm-up of an experiment. */
  factors: NumberByChannel,
  /** Null during warm-up. */
  filter: Type.Union([GrowthFilter, Type.Null()]),
  /** In the order of the filter. */
  channels: Type.Array(Type.String()),
  /** Time of the last reading that was used, Unix s. */
  lastAtS: Type.Union([Type.Number(), Type.Null()]),
  /** Readings to come that follow a dose of unknown size. */
  flagged: Type.Integer({ minimum: 0 }),
  /** Change of ln OD by doses of known size since the last reading. */
  dilution: Type.Number({ maximum: 0 }),
  /** What smoothed readings do not show yet of the doses before, in ln OD. */
  unseen: Type.Number({ maximum: 0 }),
})
export type GrowthState = Static<typeof GrowthState>

export interface GrowthSettings {
  /** Nominal time between readings, s. */
  readonly intervalS: number
  /** Readings for the statistics. */
  readonly warmUpReadings: number
  /** Standard deviations from which a reading is an outlier. */
  readonly outlierThreshold: number
  /** Share of each reading that is still the one before, 0–1; 0 by default. */
  readonly smoothing?: number
}

export interface OdBatch {
  readonly atS: number
  /** By channel. */
  readonly od: Readonly<Record<string, number>>
}

export type GrowthOutcome =
  | { readonly kind: 'rate'; readonly growth_rate: number; readonly od_filtered: number; readonly isOutlier: boolean }
  /** Nothing to tell yet. */
  | { readonly kind: 'waiting' }
  /** This reading cannot be used; the next may. */
  | { readonly kind: 'skipped'; readonly reason: string }
  /** No growth rate can be had from such readings. */
  | { readonly kind: 'failed'; readonly reason: string }

const SKIPPED_AT_START = 5
const FLAGGED_AFTER_DOSE = 2
/** A dilution smaller than that is no more seen. */
const LEAST_DILUTION = 1e-5
/** So many intervals without a reading are a gap: what happened in it is as unknown as a dose. */
const GAP_INTERVALS = 4
/** After a gap this long, s, or of so many intervals the culture is another one: the statistics begin anew. */
const OUTAGE_S = 1800
const OUTAGE_INTERVALS = 20

/** Before the first reading. @param factors of the experiment, where they were learned before. */
export const startGrowth = (factors: Readonly<Record<string, number>> = {}): GrowthState => ({
  toSkip: SKIPPED_AT_START,
  warmUp: [],
  factors: { ...factors },
  filter: null,
  channels: [],
  lastAtS: null,
  flagged: 0,
  dilution: 0,
  unseen: 0,
})

/** What has happened to the culture or its light since the last reading is not known. */
export const growthDisturbed = (state: GrowthState): GrowthState =>
  state.filter === null ? { ...state, warmUp: [] } : { ...state, flagged: FLAGGED_AFTER_DOSE }

/** Liquid was added. Waste changes no concentration and is not told here.
 * @param dilution change of ln OD that it makes (`dilutionOf`), null when the volume is not known. */
export function growthDosed(state: GrowthState, dilution: number | null): GrowthState {
  return dilution === null || state.filter === null
    ? growthDisturbed(state)
    : { ...state, dilution: state.dilution + Math.min(0, dilution) }
}

/** One set of readings. Source: Pioreactor 26.7 `growth_rate_calculating`; gaps and doses of known size are ours. */
export function growthObserved(
  state: GrowthState,
  batch: OdBatch,
  settings: GrowthSettings,
): { readonly state: GrowthState; readonly outcome: GrowthOutcome } {
  if (state.toSkip > 0) return { state: { ...state, toSkip: state.toSkip - 1 }, outcome: { kind: 'waiting' } }
  const channels = Object.keys(batch.od).sort().reverse()
  const sinceS = state.lastAtS === null ? settings.intervalS : batch.atS - state.lastAtS
  const isOutage = Math.abs(sinceS) > Math.max(OUTAGE_S, OUTAGE_INTERVALS * settings.intervalS)
  const isOther = state.filter !== null && channels.join() !== state.channels.join()
  // A clock that was set back by a little makes readings of the past; by a lot, it is another time to count from.
  if (sinceS < 0 && !isOutage) {
    return { state, outcome: { kind: 'skipped', reason: `reading is ${-sinceS} s older than the one before` } }
  }
  const from = isOutage || isOther ? { ...state, filter: null, warmUp: [], flagged: 0, dilution: 0, unseen: 0 } : state
  return from.filter === null
    ? warmUp(from, channels, batch, settings)
    : follow(from, from.filter, sinceS, batch, settings)
}

type Observed = ReturnType<typeof growthObserved>

function warmUp(
  state: GrowthState,
  channels: readonly string[],
  { atS, od }: OdBatch,
  { intervalS, warmUpReadings }: GrowthSettings,
): Observed {
  const gathered = [...state.warmUp, { ...od }]
  if (gathered.length < warmUpReadings) {
    return { state: { ...state, warmUp: gathered, lastAtS: atS }, outcome: { kind: 'waiting' } }
  }
  const learned = Object.fromEntries(
    channels.map((channel) => [
      channel,
      state.factors[channel] ?? median(gathered.map((batch) => batch[channel] ?? Number.NaN)),
    ]),
  )
  const batches = gathered.map((batch) => channels.map((channel) => (batch[channel] ?? 0) / (learned[channel] ?? 0)))
  const isUsable = channels.length > 0 && batches.flat().every((value) => Number.isFinite(value) && value > 0)
  if (!isUsable) {
    const reason = 'OD must be positive in every reading of the warm-up'
    return { state: { ...state, warmUp: [], lastAtS: atS }, outcome: { kind: 'failed', reason } }
  }
  const filter = startFilter(batches, intervalS / 3600)
  const next = {
    ...state,
    warmUp: [],
    factors: { ...state.factors, ...learned },
    channels: [...channels],
    lastAtS: atS,
  }
  return { state: { ...next, filter, flagged: 0, dilution: 0, unseen: 0 }, outcome: { kind: 'waiting' } }
}

function follow(
  state: GrowthState,
  filter: GrowthFilter,
  sinceS: number,
  { atS, od }: OdBatch,
  { intervalS, outlierThreshold, smoothing = 0 }: GrowthSettings,
): Observed {
  const normalized = state.channels.map((channel) => (od[channel] ?? 0) / (state.factors[channel] ?? 0))
  if (!normalized.every((value) => Number.isFinite(value) && value > 0)) {
    return { state, outcome: { kind: 'skipped', reason: 'OD is not positive' } }
  }
  const isGap = sinceS > GAP_INTERVALS * intervalS
  const isFlagged = state.flagged > 0 || isGap
  const dilution = state.dilution + state.unseen
  const unseen = isFlagged ? 0 : smoothing * dilution
  const observation = {
    od: normalized,
    elapsedH: sinceS / 3600,
    dosed: isFlagged,
    ...(isFlagged || dilution === 0 ? {} : { dilution: (1 - smoothing) * dilution }),
  }
  const step = growthStep(filter, observation, outlierThreshold)
  if (step === null) return { state, outcome: { kind: 'skipped', reason: 'the filter ran out of range' } }
  const [log, growth_rate] = step.filter.x
  return {
    state: {
      ...state,
      filter: step.filter,
      lastAtS: atS,
      flagged: Math.max(0, state.flagged - 1),
      dilution: 0,
      unseen: unseen > -LEAST_DILUTION ? 0 : unseen,
    },
    outcome: { kind: 'rate', growth_rate, od_filtered: Math.exp(log), isOutlier: step.isOutlier },
  }
}
