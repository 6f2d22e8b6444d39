import { foldProjection, type SqlValue } from '../engine/projection.js'
import type { Tables } from '../engine/queries.js'
import { readModel } from '../engine/read-model.js'
import type { JobMetadataRow } from './job-metadata.js'

type JobSettingRow = {
  readonly unit: string
  readonly experiment: string
  readonly job_name: string
  readonly setting: string
  readonly value: SqlValue
  /** ms UTC; formatting them for every reading would cost as much as the rest of the fold. */
  readonly created_ms: number
  readonly updated_ms: number
  readonly position: number
}

const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/

/** A published value as the settings table keeps it: numbers are numbers, booleans 1 or 0, anything else its text. */
export function settingValue(text: string): string | number {
  if (text === 'True') return 1
  if (text === 'False') return 0
  // Structures are by far the most frequent and need no look at their digits.
  if (text.startsWith('{') || !DECIMAL.test(text)) return text
  return Number(text)
}

/** SQL for a column of ms UTC as text with three fraction digits and `Z`. */
const timestampSql = (column: string): string => `strftime('%Y-%m-%dT%H:%M:%fZ', ${column} / 1000.0, 'unixepoch')`

/** The last published value of every setting, and Pioreactor's view of it: the settings of the latest job of each name. */
const publishedSettings = foldProjection<JobSettingRow>({
  name: 'job_settings',
  version: 2,
  on: ['pioreactor/+/+/+/+'],
  columns: {
    unit: 'TEXT',
    experiment: 'TEXT',
    job_name: 'TEXT',
    setting: 'TEXT',
    value: 'BLOB',
    created_ms: 'INTEGER',
    updated_ms: 'INTEGER',
    position: 'INTEGER',
  },
  key: ['unit', 'experiment', 'job_name', 'setting'],
  views: {
    pio_job_published_settings: `
      SELECT s.setting, s.value, NULL AS proposed_value,
        ${timestampSql('s.created_ms')} AS created_at, ${timestampSql('s.updated_ms')} AS updated_at, j.job_id
      FROM pio_job_metadata j
      JOIN job_settings s ON s.unit = j.unit AND s.experiment = j.experiment AND s.job_name = j.job_name
      WHERE s.position > j.first_position
        AND j.job_id = (
          SELECT max(job_id) FROM pio_job_metadata
          WHERE unit = j.unit AND experiment = j.experiment AND job_name = j.job_name)`,
  },
  keys: ({ levels }) => [levels.slice(1)],
  keysFollowTopic: true,
  evolve(row, event) {
    // What is not retained is an occurrence, not a setting.
    if (!event.retain) return row
    if (event.isEmpty) return null
    return {
      unit: event.level(1),
      experiment: event.level(2),
      job_name: event.level(3),
      setting: event.level(4),
      value: settingValue(event.text),
      created_ms: row?.created_ms ?? event.recordedAtMs,
      updated_ms: event.recordedAtMs,
      position: event.position,
    }
  },
})

interface SettingTables {
  readonly job_settings: JobSettingRow
  readonly pio_job_metadata: JobMetadataRow
}

type RunningJob = Pick<JobMetadataRow, 'unit' | 'experiment' | 'job_name' | 'first_position'>

export const jobSettings = readModel([publishedSettings], (tables: Tables<SettingTables>) => {
  const latest = tables.query<{ jobName: string }, RunningJob>((from, value) =>
    from
      .selectFrom('pio_job_metadata')
      .select(['unit', 'experiment', 'job_name', 'first_position'])
      .where('job_name', '=', value('jobName'))
      .where('is_running', '=', 1)
      .orderBy('job_id', 'desc')
      .limit(1),
  )
  // Of the table, by its key: the view finds out for each setting which of all jobs of a name is the latest.
  const settings = tables.query<RunningJob, { setting: string; value: string | number }>((from, value) =>
    from
      .selectFrom('job_settings')
      .select(['setting', 'value'])
      .where('unit', '=', value('unit'))
      .where('experiment', '=', value('experiment'))
      .where('job_name', '=', value('job_name'))
      .where('position', '>', value('first_position'))
      .orderBy('setting')
      .$narrowType<{ value: string | number }>(),
  )
  return {
    /** Published settings of the running job of that name, `$state` included; null when no job of that name runs.
     * Numbers are numbers, booleans 1 or 0, structures JSON text (`unit-api-behaviour` entry 40). */
    async jobSettings(jobName: string): Promise<Readonly<Record<string, string | number>> | null> {
      const [job] = await latest({ jobName })
      if (job === undefined) return null
      const found = await settings(job)
      return Object.fromEntries(found.map(({ setting, value }) => [setting, value]))
    },
  }
})
