/** A cycle of light and darkness that begins with light. Minutes. */
export interface LightCycle {
  readonly light: number
  readonly dark: number
}

/** Whether it is light, and for how long it stays so, s; null when it stays so for ever. A cycle without light is dark, one without
 * darkness is light. Source: Pioreactor 26.7 `light_dark_cycle`. */
export function lightAt(
  { light, dark }: LightCycle,
  elapsedS: number,
): { readonly isLight: boolean; readonly forS: number | null } {
  if (light <= 0) return { isLight: false, forS: null }
  if (dark <= 0) return { isLight: true, forS: null }
  const [lightS, cycleS] = [light * 60, (light + dark) * 60]
  const intoS = elapsedS - Math.floor(elapsedS / cycleS) * cycleS
  return intoS < lightS ? { isLight: true, forS: lightS - intoS } : { isLight: false, forS: cycleS - intoS }
}
