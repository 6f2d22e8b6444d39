import { assignmentEvent, UnitAssignment } from '../../events/bioreactor/experiments.js'
import { toMilliseconds } from '../engine/fold-event.js'
import { rowsProjection } from '../engine/projection.js'

/** Every change of the experiment a unit belongs to, in order; null from when on it belonged to none. The views are tables of a Pioreactor (26.7). */
export const unitAssignments = rowsProjection({
  name: 'unit_assignments',
  version: 1,
  on: [assignmentEvent.filter()],
  columns: { pioreactor_unit: 'TEXT NOT NULL', experiment: 'TEXT', at: 'TEXT NOT NULL' },
  // A leader publishes it again whenever it connects.
  indexes: [{ columns: ['pioreactor_unit', 'experiment', 'at'], unique: true }],
  views: {
    experiment_worker_assignments: `
      SELECT pioreactor_unit, experiment, at AS assigned_at FROM unit_assignments AS latest
      WHERE experiment IS NOT NULL
        AND rowid = (SELECT max(rowid) FROM unit_assignments WHERE pioreactor_unit = latest.pioreactor_unit)`,
    experiment_worker_assignments_history: `
      SELECT pioreactor_unit, experiment, assigned_at, unassigned_at
      FROM (
        SELECT pioreactor_unit, experiment, at AS assigned_at,
          lead(at) OVER (PARTITION BY pioreactor_unit ORDER BY rowid) AS unassigned_at
        FROM unit_assignments)
      WHERE experiment IS NOT NULL`,
  },
  row(event) {
    const unit = event.level(1)
    if (event.isEmpty) return [unit, null, event.recordedAt]
    const { experiment, assigned_at, updated_at } = event.as(UnitAssignment)
    const at = experiment === null || experiment === '' ? updated_at : (assigned_at ?? updated_at)
    return [unit, experiment === '' ? null : experiment, at == null ? event.recordedAt : toMilliseconds(at)]
  },
})
