import { BIOREACTOR_VARIABLES, type BioreactorVariable, type Liquid } from '../../../../events/bioreactor/liquids.js'
import { defineError } from '../../../../events/core/errors.js'
import { clamp } from '../../../../primitives/round.js'

const ImpossibleVolume = defineError('liquid.out_of_range', 'input', 'A vial cannot hold what was said to be in it.')

/** What a pump moved: the magnitude, negative only as a correction of what was reported too much before. */
export interface Moved {
  readonly event: string
  readonly volume_change: number
}

/** Shares this near to 0 or 1 are 0 or 1. */
const SNAP = 1e-12
const MEDIA = 'media'
const ALT_MEDIA = 'alt_media'

/** A vial that holds medium and a share of the alternative one. */
export const filledVial = ({
  volume_ml,
  efflux_tube_volume_ml,
  alt_media_fraction = 0,
}: {
  readonly volume_ml: number
  readonly efflux_tube_volume_ml: number
  readonly alt_media_fraction?: number
}): Liquid => ({
  volume_ml,
  efflux_tube_volume_ml,
  composition: { [MEDIA]: 1 - alt_media_fraction, [ALT_MEDIA]: alt_media_fraction },
  added_ml: {},
  removed_ml: 0,
  spilled_ml: 0,
})

/** The medium that an event adds, such as `salty_media` of `add_salty_media`; null for any other event. */
export const addedMedium = (event: string): string | null => /^add_(.+)$/.exec(event)?.[1] ?? null

/** Liquid that leaves when the waste pump would move `pumpedMl`: only what stands above the end of the tube; the rest is air.
 * A correction (negative) puts back at most what left. */
export function wasteMovedMl({ volume_ml, efflux_tube_volume_ml, removed_ml }: Liquid, pumpedMl: number): number {
  return pumpedMl < 0
    ? Math.max(pumpedMl, -removed_ml)
    : Math.min(pumpedMl, Math.max(0, volume_ml - efflux_tube_volume_ml))
}

/** Change of ln OD by an event, ≤ 0: cells are spread over what was added. Null when the volume is not known. */
export function dilutionOf({ volume_ml }: Pick<Liquid, 'volume_ml'>, { event, volume_change }: Moved): number | null {
  if (addedMedium(event) === null || volume_change <= 0) return 0
  return volume_ml > 0 ? Math.log(volume_ml / (volume_ml + volume_change)) : null
}

/** The vial after one dosing event. Events of other names change nothing, and neither do volumes that are no numbers.
 * Beyond the capacity the mixture is spilled, so that the account still follows the vial.
 * Source: Pioreactor 26.7 `monitor`; composition, waste and overflow are ours.
 * @param capacityMl of the vessel. */
export function evolveLiquid(liquid: Liquid, moved: Moved, capacityMl: number): Liquid {
  const { event, volume_change } = moved
  if (!Number.isFinite(volume_change)) return liquid
  if (event === 'remove_waste') {
    const leftMl = wasteMovedMl(liquid, volume_change)
    return { ...liquid, volume_ml: liquid.volume_ml - leftMl, removed_ml: liquid.removed_ml + leftMl }
  }
  const medium = addedMedium(event)
  if (medium === null) return liquid
  const filledMl = Math.max(0, liquid.volume_ml + volume_change)
  const volume_ml = Math.min(filledMl, capacityMl)
  return {
    ...liquid,
    volume_ml,
    composition: mix(liquid, medium, volume_change),
    added_ml: { ...liquid.added_ml, [medium]: Math.max(0, (liquid.added_ml[medium] ?? 0) + volume_change) },
    spilled_ml: liquid.spilled_ml + filledMl - volume_ml,
  }
}

/** Shares after `ml` of a medium; as they were when nothing is left. A correction takes back no more of a medium than there is. */
function mix({ volume_ml, composition }: Liquid, medium: string, ml: number): Liquid['composition'] {
  const names = new Set([...Object.keys(composition), medium])
  const amounts = [...names].map((name) => {
    const addedMl = name === medium ? ml : 0
    return [name, Math.max(0, (composition[name] ?? 0) * volume_ml + addedMl)] as const
  })
  const totalMl = amounts.reduce((total, [, amount]) => total + amount, 0)
  if (totalMl <= 0) return composition
  return Object.fromEntries(amounts.map(([name, amount]) => [name, snap(amount / totalMl)]))
}

const snap = (share: number): number => (share < SNAP ? 0 : share > 1 - SNAP ? 1 : clamp(0, share, 1))

/** What of the vial somebody looked up and wrote down, in place of what was counted. Other media than the two keep their proportions.
 * @throws ImpossibleVolume, naming value and limit; then nothing is changed. */
export function correctLiquid(
  liquid: Liquid,
  values: Readonly<Partial<Record<BioreactorVariable, number>>>,
  capacityMl: number,
): Liquid {
  const limits: Readonly<Partial<Record<BioreactorVariable, number>>> = {
    alt_media_fraction: 1,
    current_volume_ml: capacityMl,
    efflux_tube_volume_ml: capacityMl,
  }
  for (const name of BIOREACTOR_VARIABLES) {
    const [value, limit] = [values[name] ?? 0, limits[name] ?? Number.MAX_VALUE]
    const range = limits[name] === undefined ? 'at least 0' : `0 to ${limit}`
    if (!(value >= 0 && value <= limit)) {
      const unit = name === 'alt_media_fraction' ? '' : ' mL'
      throw new ImpossibleVolume(`${name} is ${value}${unit}; it must be ${range}${unit}.`, {
        details: { field: name, value, limit },
      })
    }
  }
  const share = values.alt_media_fraction
  return {
    ...liquid,
    volume_ml: values.current_volume_ml ?? liquid.volume_ml,
    efflux_tube_volume_ml: values.efflux_tube_volume_ml ?? liquid.efflux_tube_volume_ml,
    composition: share === undefined ? liquid.composition : withAltMedia(liquid.composition, share),
    added_ml: {
      ...liquid.added_ml,
      [MEDIA]: values.cumulative_media_added_ml ?? liquid.added_ml[MEDIA] ?? 0,
      [ALT_MEDIA]: values.cumulative_alt_media_added_ml ?? liquid.added_ml[ALT_MEDIA] ?? 0,
    },
    removed_ml: values.cumulative_waste_removed_ml ?? liquid.removed_ml,
  }
}

function withAltMedia(composition: Liquid['composition'], share: number): Liquid['composition'] {
  const others = Object.entries(composition).filter(([name]) => name !== ALT_MEDIA)
  const rest = others.reduce((total, [, part]) => total + part, 0)
  const scaled = others.map(([name, part]) => [name, rest > 0 ? ((1 - share) * part) / rest : 0] as const)
  const known = rest > 0 ? Object.fromEntries(scaled) : { ...Object.fromEntries(scaled), [MEDIA]: 1 - share }
  return { ...known, [ALT_MEDIA]: share }
}
