import type { Random } from '../random.js'

/** What stands between counter, reference and working electrode, advanced in steps of fixed length. */
export interface Cell {
  /** Advances by one step with `potentialV` applied, or at open circuit, and sets the two results. */
  step(potentialV: number, connected: boolean): void
  /** True cell current in A, anodic positive; 0 at open circuit. */
  readonly currentA: number
  /** True potential at the reference electrode in V: the applied one, or that of the open circuit. */
  readonly potentialV: number
}

/** Makes a cell for steps of `stepS` seconds. */
export type CellFactory = (stepS: number, random: Random) => Cell
