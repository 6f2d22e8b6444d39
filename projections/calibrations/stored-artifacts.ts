import {
  ActiveArtifact,
  ArtifactFile,
  type ArtifactKind,
  CALIBRATION,
  ESTIMATOR,
} from '../../events/bioreactor/artifacts.js'
import { check } from '../../events/schema.js'
import type { FoldEvent } from '../engine/fold-event.js'
import { foldProjection, rowsProjection } from '../engine/projection.js'
import type { Tables } from '../engine/queries.js'
import { readModel } from '../engine/read-model.js'
import { calibrationPlot, DrawnCalibration } from '../run-files/calibration-plot.js'
import { createPlotThread } from '../run-files/plot-thread.js'

type Kind = ArtifactKind<unknown>['plural']

/** One file as it was told of last. A file that is gone leaves its row, empty: its device is still known. */
type FileRow = {
  readonly kind: string
  readonly pioreactor_unit: string
  readonly device: string
  readonly name: string
  readonly is_present: number
  readonly text: string | null
  /** JSON; null when the file cannot be read. */
  readonly data: string | null
  readonly problem: string | null
  readonly changed_at: string
}

type ActiveRow = {
  readonly kind: string
  readonly pioreactor_unit: string
  readonly device: string
  readonly name: string | null
  readonly since: string
}

const KINDS = [CALIBRATION, ESTIMATOR]

const files = foldProjection<FileRow>({
  name: 'stored_artifacts',
  version: 1,
  on: KINDS.map(({ events }) => events.file.filter()),
  columns: {
    kind: 'TEXT',
    pioreactor_unit: 'TEXT',
    device: 'TEXT',
    name: 'TEXT',
    is_present: 'INTEGER NOT NULL',
    text: 'TEXT',
    data: 'TEXT',
    problem: 'TEXT',
    changed_at: 'TEXT NOT NULL',
  },
  key: ['kind', 'pioreactor_unit', 'device', 'name'],
  keys: (event) => [[event.level(2), event.level(1), event.level(3), event.level(4)]],
  evolve: (_, event) => {
    const owner = { kind: event.level(2), pioreactor_unit: event.level(1) }
    const key = { ...owner, device: event.level(3), name: event.level(4) }
    if (event.isEmpty) {
      return { ...key, is_present: 0, text: null, data: null, problem: null, changed_at: event.recordedAt }
    }
    const { text, artifact, problem, timestamp } = event.as(ArtifactFile)
    const data = artifact === null ? null : JSON.stringify(artifact)
    return { ...key, is_present: 1, text, data, problem, changed_at: timestamp }
  },
  views: {
    // As Pioreactor's leader has them; a type is a device there.
    calibrations: `
      SELECT f.pioreactor_unit, coalesce(json_extract(f.data, '$.created_at'), f.changed_at) AS created_at, f.device AS type, f.data, f.name,
             a.name IS NOT NULL AS is_current, a.since AS set_to_current_at
      FROM stored_artifacts f
      LEFT JOIN active_artifacts a USING (kind, pioreactor_unit, device, name)
      WHERE f.kind = 'calibrations' AND f.data IS NOT NULL`,
  },
})

/** `system/<unit>/active_calibrations/<device>` */
const kindOf = (event: FoldEvent): string => event.level(2).replace(/^active_/, '')
const ACTIVE = KINDS.map(({ events }) => events.active.filter())

const active = foldProjection<ActiveRow>({
  name: 'active_artifacts',
  version: 1,
  on: ACTIVE,
  columns: { kind: 'TEXT', pioreactor_unit: 'TEXT', device: 'TEXT', name: 'TEXT', since: 'TEXT NOT NULL' },
  key: ['kind', 'pioreactor_unit', 'device'],
  keys: (event) => [[kindOf(event), event.level(1), event.level(3)]],
  evolve: (_, event) => {
    if (event.isEmpty) return null
    const { name, timestamp } = event.as(ActiveArtifact)
    return { kind: kindOf(event), pioreactor_unit: event.level(1), device: event.level(3), name, since: timestamp }
  },
})

/** Every change of what a device uses; `active_artifact_periods` has what was in use from when until when. */
const history = rowsProjection({
  name: 'active_artifact_history',
  version: 1,
  on: ACTIVE,
  columns: {
    kind: 'TEXT NOT NULL',
    pioreactor_unit: 'TEXT NOT NULL',
    device: 'TEXT NOT NULL',
    name: 'TEXT',
    previous: 'TEXT',
    cause: 'TEXT NOT NULL',
    timestamp: 'TEXT NOT NULL',
  },
  // Of a repeated delivery the first counts.
  indexes: [{ columns: ['kind', 'pioreactor_unit', 'device', 'timestamp', 'name', 'previous', 'cause'], unique: true }],
  row: (event) => {
    if (event.isEmpty) return null
    const { name, previous, cause, timestamp } = event.as(ActiveArtifact)
    return [kindOf(event), event.level(1), event.level(3), name, previous, cause, timestamp]
  },
  views: {
    active_artifact_periods: `
      SELECT kind, pioreactor_unit, device, name, active_from, active_until
      FROM (SELECT kind, pioreactor_unit, device, name, timestamp AS active_from,
                   lead(timestamp) OVER (PARTITION BY kind, pioreactor_unit, device ORDER BY rowid) AS active_until
            FROM active_artifact_history)
      WHERE name IS NOT NULL`,
  },
})

/** A stored calibration or estimator, as the gateway serves it. */
export interface StoredArtifactRow {
  readonly device: string
  /** Of the file. */
  readonly name: string
  readonly text: string | null
  /** Null when the file cannot be read. */
  readonly artifact: Readonly<Record<string, unknown>> | null
  readonly problem: string | null
  readonly isActive: boolean
  readonly changedAt: string
}

type ReadRow = Pick<FileRow, 'device' | 'name' | 'is_present' | 'text' | 'data' | 'problem' | 'changed_at'> & {
  readonly active: string | null
}
interface Owner {
  readonly kind: Kind
  readonly unit: string
}

const present = (rows: readonly ReadRow[]): readonly StoredArtifactRow[] =>
  rows
    .filter(({ is_present }) => is_present === 1)
    .map(({ device, name, text, data, problem, active: inUse, changed_at }) => ({
      ...{ device, name, text, problem, isActive: inUse === name, changedAt: changed_at },
      // Checked when it was folded.
      artifact: data === null ? null : (JSON.parse(data) as StoredArtifactRow['artifact']),
    }))
    .sort((one, other) => (pathOf(one) < pathOf(other) ? -1 : 1))

/** Level by level, as paths are sorted. */
const pathOf = ({ device, name }: StoredArtifactRow): string => `${device}\0${name}.yaml`

type StoredTables = Tables<{ stored_artifacts: FileRow; active_artifacts: ActiveRow }>

export const storedArtifacts = readModel([files, active, history], (tables: StoredTables) => {
  const rowsOf = tables.query<Owner & { readonly device: string | null }, ReadRow>((from, value) =>
    from
      .selectFrom('stored_artifacts as f')
      .leftJoin('active_artifacts as a', (join) =>
        join
          .onRef('a.kind', '=', 'f.kind')
          .onRef('a.pioreactor_unit', '=', 'f.pioreactor_unit')
          .onRef('a.device', '=', 'f.device'),
      )
      .select([
        'f.device',
        'f.name',
        'f.is_present',
        'f.text',
        'f.data',
        'f.problem',
        'f.changed_at',
        'a.name as active',
      ])
      .where('f.kind', '=', value('kind'))
      .where('f.pioreactor_unit', '=', value('unit'))
      .where((where) => where.or([where(value('device'), 'is', null), where('f.device', '=', value('device'))])),
  )
  const draw = createPlotThread()
  return {
    /** PNG of a calibration's points and its curve. @throws InvalidInput for what is no calibration with a curve; LabError `plot.busy` */
    calibrationPlot: (device: string, calibration: unknown): Promise<Uint8Array> =>
      draw(calibrationPlot(device, check(DrawnCalibration, calibration))),
    /** Every stored one of a unit, by path; those that cannot be read included. */
    artifacts: async (kind: Kind, unit: string) => present(await rowsOf({ kind, unit, device: null })),
    /** Those of a device; null for a device that never had one. */
    async artifactsOf(kind: Kind, unit: string, device: string) {
      const found = await rowsOf({ kind, unit, device })
      return found.length === 0 ? null : present(found)
    },
  }
})
