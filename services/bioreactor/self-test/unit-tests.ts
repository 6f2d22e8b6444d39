import { auxPower, hatPresent, heating, heatingPcb, stirring } from './board-tests.js'
import {
  ambientLight,
  blankNearZero,
  darkOffset,
  lightSeen,
  referenceLevel,
  referencePosition,
} from './optical-tests.js'

/** In the order in which they run. Source of names and order: Pioreactor 26.7 `self_test`. */
export const unitTests = [
  hatPresent,
  lightSeen,
  ambientLight,
  darkOffset,
  referenceLevel,
  referencePosition,
  blankNearZero,
  heatingPcb,
  heating,
  stirring,
  auxPower,
] as const
