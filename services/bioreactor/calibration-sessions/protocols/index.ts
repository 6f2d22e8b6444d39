import type { Protocol } from '../protocol.js'
import { biasTrim } from './bias-trim.js'
import { dcBased } from './dc-based.js'
import { durationBased } from './duration-based.js'
import { fusionOffset } from './fusion-offset.js'
import { fusionStandards } from './fusion-standards.js'
import { standards } from './standards.js'

/** The guided calibrations. A new one has its line here. */
export const protocols: readonly Protocol[] = [
  standards,
  durationBased,
  dcBased,
  fusionStandards,
  fusionOffset,
  biasTrim,
]
