import { ExperimentRecord, experimentEvent } from '../../events/bioreactor/experiments.js'
import { toMilliseconds } from '../engine/fold-event.js'
import { foldProjection } from '../engine/projection.js'
import { readModel } from '../engine/read-model.js'
import { isScratch } from '../recorder/scratch.js'
import { unitAssignments } from './unit-assignments.js'

type ExperimentRow = {
  readonly experiment: string
  /** When it was first seen, or told of. */
  readonly created_at: string
  readonly description: string | null
  /** JSON: when each tag was given, by tag. */
  readonly tags: string
}

/** Experiments that something was published of, or that people told of; orders alone make none. The views are tables of a Pioreactor (26.7). */
const experimentRecords = foldProjection<ExperimentRow>({
  name: 'experiment_records',
  version: 1,
  on: ['pioreactor/+/+/#', experimentEvent.filter()],
  columns: {
    experiment: 'TEXT',
    created_at: 'TEXT NOT NULL',
    description: 'TEXT',
    tags: 'TEXT NOT NULL',
  },
  key: ['experiment'],
  views: {
    experiments: `
      SELECT experiment, min(created_at) AS created_at, max(description) AS description
      FROM (
        SELECT experiment, created_at, description FROM experiment_records
        UNION ALL SELECT experiment, at, NULL FROM unit_assignments WHERE experiment IS NOT NULL)
      GROUP BY experiment`,
    experiment_tags: `
      SELECT experiment, tag.key AS tag, tag.value AS created_at FROM experiment_records, json_each(tags) AS tag`,
    latest_experiment: `
      SELECT experiment, created_at, description,
        CAST((julianday('now') - julianday(created_at)) * 24 AS INTEGER) AS delta_hours
      FROM experiments ORDER BY created_at DESC, experiment DESC LIMIT 1`,
  },
  keys: (event) => {
    if (event.level(0) === 'system') return [[event.level(3)]]
    const isOrder = /^(set|outcome)$/.test(event.levels.at(-1) ?? '')
    return isOrder || event.level(2).startsWith('$') || isScratch(event) ? [] : [[event.level(2)]]
  },
  keysFollowTopic: true,
  evolve(row, event, [name]) {
    const experiment = String(name)
    if (event.level(0) !== 'system') {
      if (row !== null || event.isEmpty) return row
      return { experiment, created_at: event.recordedAt, description: null, tags: '{}' }
    }
    if (event.isEmpty) return row === null ? null : { ...row, description: null, tags: '{}' }
    const { description, tags, timestamp } = event.as(ExperimentRecord)
    const at = toMilliseconds(timestamp)
    const known = JSON.parse(row?.tags ?? '{}') as Readonly<Record<string, string>>
    const since = Object.fromEntries(tags.map((tag) => [tag, known[tag] ?? at]))
    return { experiment, created_at: row?.created_at ?? at, description, tags: JSON.stringify(since) }
  },
})

type LabelRow = {
  readonly experiment: string
  readonly pioreactor_unit: string
  readonly label: string
  readonly created_at: string
}

/** What people call a unit in an experiment. */
const unitLabels = foldProjection<LabelRow>({
  name: 'pioreactor_unit_labels',
  version: 1,
  on: [experimentEvent.filter()],
  columns: { experiment: 'TEXT', pioreactor_unit: 'TEXT', label: 'TEXT NOT NULL', created_at: 'TEXT NOT NULL' },
  key: ['experiment', 'pioreactor_unit'],
  keys: (event) => [[event.level(3), event.level(1)]],
  keysFollowTopic: true,
  evolve(row, event) {
    if (event.isEmpty) return null
    const { unit_label: label, timestamp } = event.as(ExperimentRecord)
    if (label === null || label === row?.label) return label === null ? null : row
    return { experiment: event.level(3), pioreactor_unit: event.level(1), label, created_at: toMilliseconds(timestamp) }
  },
})

/** They are there for notebooks. */
export const experiments = readModel([experimentRecords, unitLabels, unitAssignments])
