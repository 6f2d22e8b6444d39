import type { FoldEvent } from '../engine/fold-event.js'

/** Experiments whose name begins so are scratch work of calibrations, which the recorder leaves out. */
const SCRATCH = '_testing_'

export const isScratch = (event: FoldEvent): boolean => event.level(2).startsWith(SCRATCH)
