import { defineError } from '../../../../events/core/errors.js'
import type { Reading } from '../dosing-automation.js'

const NoReading = defineError('dosing.no_reading', 'state', 'A dosing automation has no recent reading to decide by.', {
  remediation:
    'Start od_reading, and growth_rate_calculating where its values are needed, and wait for the first values.',
})

/** Older readings tell nothing of the culture, s. Source: Pioreactor 26.7. */
export const STALE_S = 300

/** The value of a reading. @throws NoReading when there is none, or none of the last 5 min. One from the future is from before the clock was set back, and
 * nobody knows how old it is. */
export function freshValue(name: string, reading: Reading | null, nowS: number): number {
  if (reading === null) throw new NoReading(`No ${name} has been measured yet.`)
  const ageS = nowS - reading.atS
  if (ageS > STALE_S) throw new NoReading(`The last ${name} is ${Math.round(ageS)} s old; the limit is ${STALE_S} s.`)
  if (ageS < -STALE_S) {
    throw new NoReading(`The last ${name} is ${Math.round(-ageS)} s ahead of the clock, which was set back meanwhile.`)
  }
  return reading.value
}
