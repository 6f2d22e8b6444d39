import { type Static, type TSchema, Type } from '@sinclair/typebox'
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
  od_fused: odFused(peers.find(OD)?.value('od_fused')),
  normalized_od: odFiltered(peers.find(GROWTH)?.value('od_filtered')),
  growth_rate: growthRate(peers.find(GROWTH)?.value('growth_rate')),
})

/** Calls back when there is a reading that was not there before. Returns the function that ends it. */
export function watchBiomass(peers: JobPeers, listener: () => void): () => void {
  let known = readBiomass(peers)
  const changed = (): void => {
    const now = readBiomass(peers)
    const isNews = KINDS.some((kind) => now[kind]?.atS !== known[kind]?.atS)
    known = now
    if (isNews) listener()
  }
  const ends = [OD, GROWTH].map((job) => peers.watch(job, changed))
  return () => {
    for (const end of ends) end()
  }
}

const KINDS = ['od', 'od_fused', 'normalized_od', 'growth_rate'] as const

/** Makes a reading of what a job has published; null of what is none. What was published once is looked at once: watchers ask at every
 * change of any value. */
function createReader<S extends TSchema>(
  schema: S,
  read: (value: Static<S>) => Reading | null,
): (published: unknown) => Reading | null {
  const known = new WeakMap<object, Reading | null>()
  return (published) => {
    if (typeof published !== 'object' || published === null) return null
    const before = known.get(published)
    if (before !== undefined) return before
    const reading = is(schema, published) ? read(published) : null
    known.set(published, reading)
    return reading
  }
}

const is = <S extends TSchema>(schema: S, value: unknown): value is Static<S> => violations(schema, value).length === 0

const readingAt = (value: number, timestamp: string): Reading => ({ value, atS: Date.parse(timestamp) / 1000 })

/** Of the photodiode with the lowest number. */
const firstOd = createReader(ODReadings, ({ ods }) => {
  const [channel] = Object.keys(ods).sort()
  const reading = channel === undefined ? undefined : ods[channel]
  return reading === undefined ? null : readingAt(reading.od, reading.timestamp)
})

const Fused = Type.Object({ od_fused: Type.Number(), timestamp: Timestamp })
const odFused = createReader(Fused, ({ od_fused, timestamp }) => readingAt(od_fused, timestamp))
const Filtered = Type.Object({ od_filtered: Type.Number(), timestamp: Timestamp })
const odFiltered = createReader(Filtered, ({ od_filtered, timestamp }) => readingAt(od_filtered, timestamp))
const Rate = Type.Object({ growth_rate: Type.Number(), timestamp: Timestamp })
const growthRate = createReader(Rate, ({ growth_rate, timestamp }) => readingAt(growth_rate, timestamp))
