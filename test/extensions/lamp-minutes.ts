import { foldProjection } from '../../projections/engine/projection.js'
import type { Tables } from '../../projections/engine/queries.js'
import { readModel } from '../../projections/engine/read-model.js'
import { lampEvent } from './lamp-event.js'

type LampRow = { readonly experiment: string; readonly minutes: number; readonly latest: string }

const lampTable = foldProjection<LampRow>({
  name: 'lamp_minutes',
  version: 1,
  on: [lampEvent.filter()],
  columns: { experiment: 'TEXT', minutes: 'REAL', latest: 'TEXT' },
  key: ['experiment'],
  keys: (event) => [[event.level(2)]],
  evolve(row, event) {
    const { minutes, timestamp } = event.as(lampEvent.payload)
    // The same event may come twice.
    if (row !== null && timestamp <= row.latest) return row
    return { experiment: event.level(2), minutes: (row?.minutes ?? 0) + minutes, latest: timestamp }
  },
})

export const lampMinutes = readModel([lampTable], (tables: Tables<{ lamp_minutes: LampRow }>) => {
  const all = tables.query<object, LampRow>((from) => from.selectFrom('lamp_minutes').selectAll().orderBy('experiment'))
  return { lampMinutes: () => all({}) }
})
