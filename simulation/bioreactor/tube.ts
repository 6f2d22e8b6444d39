/** An inflow tube as a row of liquid and air, from its end in the vial to the one in the bottle. Volumes in ml. */

interface Plug {
  readonly ml: number
  readonly liquid: boolean
}

export type Tube = readonly Plug[]

/** Half a metre of tube with a bore of 1.6 mm. */
export const TUBE_ML = 1

export const primedTube: Tube = [{ ml: TUBE_ML, liquid: true }]
export const emptyTube: Tube = [{ ml: TUBE_ML, liquid: false }]

/** Pushes liquid or air in at the bottle. @returns What the tube holds now, and how much liquid came out at the vial; never more than `ml`. */
export function pushThrough(
  tube: Tube,
  ml: number,
  liquid: boolean,
): { readonly tube: Tube; readonly liquidMl: number } {
  const [only] = tube
  if (ml <= 0) return { tube, liquidMl: 0 }
  if (tube.length === 1 && only?.liquid === liquid) return { tube, liquidMl: liquid ? ml : 0 }
  const row = [...tube, { ml, liquid }]
  let toLeave = ml
  let liquidMl = 0
  const rest: Plug[] = []
  for (const plug of row) {
    const leaves = Math.min(toLeave, plug.ml)
    toLeave -= leaves
    if (plug.liquid) liquidMl += leaves
    const stays = plug.ml - leaves
    const last = rest.at(-1)
    if (stays <= 0) continue
    if (last?.liquid === plug.liquid) rest[rest.length - 1] = { ml: last.ml + stays, liquid: plug.liquid }
    else rest.push({ ml: stays, liquid: plug.liquid })
  }
  return { tube: rest, liquidMl }
}
