import { defineError } from '../../../../events/core/errors.js'

const InvalidDose = defineError('dosing.invalid_dose', 'input', 'A dose contradicts itself.')

/** mL by pump, for the media of plugins too. Media are added in the order of the keys. */
export interface Dose {
  readonly waste_ml: number
  readonly media_ml?: number
  readonly alt_media_ml?: number
  readonly [medium: `${string}_ml`]: number
}

/** One run of a pump, in the order of the plan. */
export interface PumpDose {
  /** `media`, `alt_media`, `waste` or the pump of a plugin. */
  readonly pump: string
  /** Liquid to move. */
  readonly ml: number
  /** Pumped in all: the waste pump goes on for longer than its liquid takes, and draws air. */
  readonly pumpMl: number
  /** To mix, or to settle, after it, s. */
  readonly pauseS: number
}

export interface DoseSettings {
  readonly maxSubdoseMl: number
  /** How much longer the waste pump runs, as a multiple of what it is to remove. */
  readonly wasteMultiplier: number
  readonly pauseS: number
}

/** After the waste pump, s. Source: Pioreactor 26.7. */
const WASTE_PAUSE_S = 0.05
const EPSILON_ML = 1e-9
const WASTE = 'waste'

const pumpOf = (key: string): string => key.replace(/_ml$/, '')

/** mL that a dose adds in all. */
export const addedMl = (dose: Dose): number =>
  Object.entries(dose).reduce((total, [key, ml]) => (key === 'waste_ml' ? total : total + ml), 0)

/** The pump runs of a dose: as few equal sub-doses as add no more than the largest one allows, the media of each in the ratio
 * of the dose, waste after each. A dose without waste lets the volume grow.
 * @throws InvalidDose for volumes that are negative or no numbers, and when waste is less than what is added but not 0. */
export function planDose(dose: Dose, { maxSubdoseMl, wasteMultiplier, pauseS }: DoseSettings): readonly PumpDose[] {
  const wasteMl = dose.waste_ml
  const inflowMl = addedMl(dose)
  for (const [key, ml] of Object.entries(dose)) {
    if (!(ml >= 0 && Number.isFinite(ml))) throw new InvalidDose(`${key} is ${ml}; it must be 0 mL or more.`)
  }
  if (wasteMl > 0 && wasteMl < inflowMl - EPSILON_ML) {
    throw new InvalidDose(`waste_ml is ${wasteMl} mL; it must be at least the ${inflowMl} mL that are added.`)
  }
  const parts = Math.max(1, Math.ceil((inflowMl - EPSILON_ML) / maxSubdoseMl))
  const additions = Object.entries(dose).filter(([key, ml]) => key !== 'waste_ml' && ml > 0)
  const subdose = additions.map(([key, ml]): PumpDose => {
    const part = ml / parts
    return { pump: pumpOf(key), ml: part, pumpMl: part, pauseS }
  })
  if (wasteMl > 0) {
    const ml = wasteMl / parts
    subdose.push({ pump: WASTE, ml, pumpMl: ml * (1 + wasteMultiplier), pauseS: WASTE_PAUSE_S })
  }
  return Array.from({ length: parts }, () => subdose).flat()
}

/** Whether an addition leaves the volume below the limit. */
export const hasRoom = (volumeMl: number, additionMl: number, maxFillMl: number): boolean =>
  volumeMl + additionMl < maxFillMl

/** Where a dose stands: plain JSON. What a pause or a stop broke off is taken up again where it was. */
export interface DoseProgress {
  readonly plan: readonly PumpDose[]
  /** Run of the plan that is next or under way. */
  readonly index: number
  /** Pumped of it already. */
  readonly pumpedMl: number
  /** Liquid moved by pump, as `<pump>_ml`. */
  readonly moved: Dose
}

export type NextPumping =
  /** Run the pump for so much, then wait. */
  | { readonly kind: 'pump'; readonly pump: string; readonly pumpMl: number; readonly pauseS: number }
  /** The next addition has no room in the vessel. */
  | { readonly kind: 'full'; readonly pump: string; readonly ml: number }
  | { readonly kind: 'done' }

export const startDose = (dose: Dose, settings: DoseSettings): DoseProgress => ({
  plan: planDose(dose, settings),
  index: 0,
  pumpedMl: 0,
  moved: { ...Object.fromEntries(Object.keys(dose).map((key) => [key, 0])), waste_ml: 0 },
})

/** What to pump now. @param volumeMl in the vessel as it is known now. */
export function nextPumping({ plan, index, pumpedMl }: DoseProgress, volumeMl: number, maxFillMl: number): NextPumping {
  const run = plan[index]
  if (run === undefined) return { kind: 'done' }
  const leftMl = run.pumpMl - pumpedMl
  if (run.pump !== WASTE && !hasRoom(volumeMl, leftMl, maxFillMl)) return { kind: 'full', pump: run.pump, ml: leftMl }
  return { kind: 'pump', pump: run.pump, pumpMl: leftMl, pauseS: run.pauseS }
}

/** After the pump of the present run has pumped `pumpMl`, of which `movedMl` was liquid; less than asked when it was broken off. */
export function recordPumped(
  { plan, index, pumpedMl, moved }: DoseProgress,
  { pumpMl, movedMl }: { readonly pumpMl: number; readonly movedMl: number },
): DoseProgress {
  const run = plan[index]
  if (run === undefined) return { plan, index, pumpedMl, moved }
  const key = `${run.pump}_ml` as const
  const total = pumpedMl + pumpMl
  const isDone = total >= run.pumpMl - EPSILON_ML
  return {
    plan,
    index: isDone ? index + 1 : index,
    pumpedMl: isDone ? 0 : total,
    moved: { ...moved, [key]: (moved[key] ?? 0) + movedMl },
  }
}

export const isDone = ({ plan, index }: DoseProgress): boolean => index >= plan.length

/** Liquid that is still to move, by pump. */
export function restOf({ plan, index, pumpedMl }: DoseProgress): Dose {
  const rest: Record<`${string}_ml`, number> = {}
  for (const [at, { pump, ml, pumpMl }] of plan.slice(index).entries()) {
    const left = at === 0 ? Math.max(0, ml * (1 - pumpedMl / pumpMl)) : ml
    rest[`${pump}_ml`] = (rest[`${pump}_ml`] ?? 0) + left
  }
  return { waste_ml: 0, ...rest }
}

/** Liquid that moved from one state of a dose to a later one, by pump. */
export const movedBetween = (before: DoseProgress, after: DoseProgress): Dose => ({
  waste_ml: 0,
  ...Object.fromEntries(
    Object.entries(after.moved).map(([key, ml]) => [key, ml - (before.moved[key as `${string}_ml`] ?? 0)]),
  ),
})

/** Longest time a plan may take before something is wrong with it: its pump runs and pauses, half as long again, and 10 s to begin with.
 * @param secondsOf a run of a pump. */
export function doseDeadlineS(plan: readonly PumpDose[], secondsOf: (pump: string, pumpMl: number) => number): number {
  const plannedS = plan.reduce((total, { pump, pumpMl, pauseS }) => total + secondsOf(pump, pumpMl) + pauseS, 0)
  return 10 + 1.5 * plannedS
}
