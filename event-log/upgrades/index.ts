import { fromVersion2 } from './from-version-2.js'
import type { UpgradeStep } from './upgrade-step.js'

/** One step for each version that was released before the present one. A step writes the format of its own time: when that changes, it
 * keeps the schema it has used until then. */
export const UPGRADE_STEPS: readonly UpgradeStep[] = [fromVersion2]
