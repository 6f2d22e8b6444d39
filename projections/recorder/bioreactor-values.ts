import {
  BIOREACTOR_VARIABLES,
  type BioreactorValues,
  bioreactorValues,
  liquidEvent,
} from '../../events/bioreactor/liquids.js'
import { Vessel, vesselEvent } from '../../events/bioreactor/vessel.js'
import { toMilliseconds } from '../engine/fold-event.js'
import { foldProjection } from '../engine/projection.js'
import type { Tables } from '../engine/queries.js'
import { readModel } from '../engine/read-model.js'

type ValuesRow = BioreactorValues & {
  readonly pioreactor_unit: string
  readonly experiment: string
  readonly timestamp: string
}

const real = <Name extends string>(names: readonly Name[]) =>
  Object.fromEntries(names.map((name) => [name, 'REAL NOT NULL'])) as Record<Name, string>

/** What each vial holds by its account: one row for unit and experiment. */
const values = foldProjection<ValuesRow>({
  name: 'bioreactor_values',
  version: 1,
  on: [liquidEvent.filter()],
  columns: { pioreactor_unit: 'TEXT', experiment: 'TEXT', timestamp: 'TEXT NOT NULL', ...real(BIOREACTOR_VARIABLES) },
  key: ['pioreactor_unit', 'experiment'],
  keys: ({ levels: [, unit = '', , experiment = ''] }) => [[unit, experiment]],
  keysFollowTopic: true,
  evolve(_, event) {
    if (event.isEmpty) return null
    const { liquid, timestamp } = event.as(liquidEvent.payload)
    return {
      pioreactor_unit: event.level(1),
      experiment: event.level(3),
      timestamp: toMilliseconds(timestamp),
      ...bioreactorValues(liquid),
    }
  },
})

type VesselRow = Omit<Vessel, 'initial_values' | 'timestamp'> & {
  readonly pioreactor_unit: string
  /** First announcement of a vessel. */
  readonly added_at: string
  /** JSON. */
  readonly initial_values: string
}

/** The vessel of each unit; and the units, as a Pioreactor's leader lists its workers. */
const vessels = foldProjection<VesselRow>({
  name: 'vessels',
  version: 1,
  on: [vesselEvent.filter()],
  columns: {
    pioreactor_unit: 'TEXT',
    added_at: 'TEXT NOT NULL',
    model_name: 'TEXT NOT NULL',
    model_version: 'TEXT NOT NULL',
    reactor_capacity_ml: 'REAL NOT NULL',
    reactor_max_fill_volume_ml: 'REAL NOT NULL',
    initial_values: 'TEXT NOT NULL',
  },
  key: ['pioreactor_unit'],
  views: {
    workers: 'SELECT pioreactor_unit, added_at, model_name, model_version, 1 AS is_active FROM vessels',
  },
  keys: ({ levels: [, unit = ''] }) => [[unit]],
  keysFollowTopic: true,
  evolve(row, event) {
    if (event.isEmpty) return row
    const { initial_values, timestamp, ...vessel } = event.as(Vessel)
    return {
      pioreactor_unit: event.level(1),
      added_at: row?.added_at ?? toMilliseconds(timestamp),
      ...vessel,
      initial_values: JSON.stringify(initial_values),
    }
  },
})

interface LiquidTables {
  readonly bioreactor_values: ValuesRow
  readonly vessels: VesselRow
}

export const bioreactorState = readModel([values, vessels], (tables: Tables<LiquidTables>) => {
  const known = tables.query<{ unit: string; experiment: string }, BioreactorValues>((from, value) =>
    from
      .selectFrom('bioreactor_values')
      .select(BIOREACTOR_VARIABLES)
      .where('pioreactor_unit', '=', value('unit'))
      .where('experiment', '=', value('experiment')),
  )
  const initial = tables.query<{ unit: string }, Pick<VesselRow, 'initial_values'>>((from, value) =>
    from.selectFrom('vessels').select('initial_values').where('pioreactor_unit', '=', value('unit')),
  )
  return {
    /** What the vial of an experiment holds; without an account what it would begin with. Null as long as the unit has not told its vessel. */
    async bioreactorValues(unit: string, experiment: string): Promise<BioreactorValues | null> {
      const [found] = await known({ unit, experiment })
      if (found !== undefined) return found
      const [vessel] = await initial({ unit })
      // Checked when it was folded.
      return vessel === undefined ? null : (JSON.parse(vessel.initial_values) as BioreactorValues)
    },
  }
})
