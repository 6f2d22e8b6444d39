import { type TSchema, Type } from '@sinclair/typebox'
import { ODReadings } from '../../../events/bioreactor/readings.js'
import { Timestamp } from '../../../events/core/timestamp.js'
import { violations } from '../../../events/schema.js'
import type { JobPeers } from '../../jobs/job.js'
import type { DosingSeen, Reading } from './dosing-automation.js'

const OD = 'od_reading'
const GROWTH = 'growth_rate_calculating'

/** What the jobs that measure say of the culture. */
export type Biomass = Pick<DosingSeen, 'od' | 'od_fused' | 'normalized_od' | 'growth_rate'>

/** The latest readings of the jobs that run, by no way but this process: no broker, no delay. Null where a job does not run or has none yet. */
export const readBiomass = (peers: JobPeers): Biomass => ({
  od: firstOd(peers.find(OD)?.value('ods')),
  od_fused: readingOf('od_fused', peers.find(OD)?.value('od_fused')),
  normalized_od: readingOf('od_filtered', peers.find(GROWTH)?.value('od_filtered')),
  growth_rate: readingOf('growth_rate', peers.find(GROWTH)?.value('growth_rate')),
})

/** Calls back when there is a reading that was not there before. Returns the function that ends it. */
export function watchBiomass(peers: JobPeers, listener: () => void): () => void {
  const times = (): string =>
    Object.values(readBiomass(peers))
      .map((reading) => reading?.atS)
      .join()
  let known = times()
  const changed = (): void => {
    const now = times()
    if (now === known) return
    known = now
    listener()
  }
  const ends = [OD, GROWTH].map((job) => peers.watch(job, changed))
  return () => {
    for (const end of ends) end()
  }
}

const is = <T>(schema: TSchema, value: unknown): value is T => violations(schema, value).length === 0

/** Of the photodiode with the lowest number. */
function firstOd(value: unknown): Reading | null {
  if (!is<ODReadings>(ODReadings, value)) return null
  const [channel] = Object.keys(value.ods).sort()
  const reading = channel === undefined ? undefined : value.ods[channel]
  return reading === undefined ? null : { value: reading.od, atS: Date.parse(reading.timestamp) / 1000 }
}

function readingOf<F extends string>(field: F, value: unknown): Reading | null {
  const schema = Type.Object({ [field]: Type.Number(), timestamp: Timestamp })
  if (!is<Record<F, number> & { readonly timestamp: string }>(schema, value)) return null
  return { value: value[field], atS: Date.parse(value.timestamp) / 1000 }
}
