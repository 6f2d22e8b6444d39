import { ConfigFileRecord, configFileEvent, MergedConfig, mergedConfigEvent } from '../../events/config/config.js'
import { foldProjection, rowsProjection } from '../engine/projection.js'
import type { Tables } from '../engine/queries.js'
import { readModel } from '../engine/read-model.js'

type ConfigRow = { readonly unit: string; readonly record: string }

/** The merged configuration as last published, JSON. */
const mergedTable = foldProjection<ConfigRow>({
  name: 'unit_config',
  version: 1,
  on: [mergedConfigEvent.filter()],
  columns: { unit: 'TEXT', record: 'TEXT' },
  key: ['unit'],
  keys: (event) => [[event.level(1)]],
  evolve(_, event) {
    if (event.isEmpty) return null
    event.as(MergedConfig)
    return { unit: event.level(1), record: event.text }
  },
})

/** Every text a configuration file ever had, in Pioreactor's columns, and who changed what. */
const historyTable = rowsProjection({
  name: 'config_files_histories',
  version: 1,
  on: [configFileEvent.filter()],
  columns: {
    timestamp: 'TEXT NOT NULL',
    filename: 'TEXT NOT NULL',
    data: 'TEXT NOT NULL',
    client: 'TEXT NOT NULL',
    changes: 'TEXT NOT NULL',
  },
  indexes: [{ columns: ['timestamp', 'filename'], unique: true }, { columns: ['filename'] }],
  row(event) {
    if (event.isEmpty) return null
    const { timestamp, filename, data, client, changes } = event.as(ConfigFileRecord)
    return [timestamp, filename, data, client, JSON.stringify(changes)]
  },
})

export const config = readModel([mergedTable, historyTable], (tables: Tables<{ unit_config: ConfigRow }>) => {
  const ofUnit = tables.query<{ unit: string }, Pick<ConfigRow, 'record'>>((from, value) =>
    from.selectFrom('unit_config').select('record').where('unit', '=', value('unit')),
  )
  return {
    /** Secrets are redacted; null before the services told it for the first time. */
    async mergedConfig(unit: string): Promise<MergedConfig | null> {
      const [found] = await ofUnit({ unit })
      // It was checked when it was folded.
      return found === undefined ? null : (JSON.parse(found.record) as MergedConfig)
    },
  }
})
