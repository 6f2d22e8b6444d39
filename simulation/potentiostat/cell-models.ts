import type { CellFactory } from './cell.js'
import { OpenLead, RcCell, ResistorCell } from './dummy-cells.js'
import { RandlesCell } from './randles-cell.js'

export type CellName = 'randles' | 'resistor' | 'rc' | 'open'

/** The cells on offer: 5 mM ferri/ferrocyanide at a 3 mm disc; 1 kΩ; 100 Ω + (1 kΩ ∥ 1 µF); nothing connected. */
export const cells: Readonly<Record<CellName, CellFactory>> = {
  randles: (stepS) => new RandlesCell(stepS),
  resistor: () => new ResistorCell(1000),
  rc: (stepS) => new RcCell(stepS, { seriesOhm: 100, parallelOhm: 1000, farad: 1e-6 }),
  open: (stepS, random) => new OpenLead(stepS, random),
}
