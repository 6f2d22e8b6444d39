import type { MeasurementMode } from '../acquisition/plan.js'
import { ca } from './ca.js'
import { cdl } from './cdl.js'
import { cp } from './cp.js'
import { cv } from './cv.js'
import { eis } from './eis.js'
import { gcv } from './gcv.js'
import { gs } from './gs.js'
import { lsv } from './lsv.js'
import { ocp } from './ocp.js'
import { pstep } from './pstep.js'
import { stepseq } from './stepseq.js'

/** The modes on offer, in the order the box API lists them. */
export const modes: readonly MeasurementMode[] = [ca, lsv, cv, pstep, cp, gs, gcv, stepseq, ocp, cdl, eis]

/** The mode of that name, compared without case; undefined when there is none. */
export const findMode = (name: string): MeasurementMode | undefined =>
  modes.find(({ declaration }) => declaration.mode === name.trim().toUpperCase())
