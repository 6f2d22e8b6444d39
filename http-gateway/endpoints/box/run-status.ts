import { type Static, Type } from '@sinclair/typebox'
import { isTerminal, RUN_STATUSES } from '../../../events/run-status.js'
import type { RunOverview, RunRow, RunSlotRow } from '../../../projections/read-models.js'

const statuses = <S extends string>(...names: readonly S[]) => Type.Union(names.map((name) => Type.Literal(name)))
const TextOrNull = Type.Union([Type.String(), Type.Null()])

export const SlotStatus = Type.Object({
  slot: Type.String(),
  status: statuses('idle', ...RUN_STATUSES),
  started_at: TextOrNull,
  ended_at: TextOrNull,
  message: TextOrNull,
  files: Type.Array(Type.String()),
  current_mode: Type.Optional(TextOrNull),
  progress_pct: Type.Optional(Type.Integer()),
  samples: Type.Optional(Type.Integer()),
})
export type SlotStatus = Static<typeof SlotStatus>

/** A run as `GET /jobs/{run_id}` shows it; fields after `remaining_modes` are ours. */
export const RunStatusBody = Type.Object({
  run_id: Type.String(),
  mode: Type.String(),
  started_at: Type.String(),
  status: statuses('running', 'done', 'failed', 'cancelled'),
  ended_at: TextOrNull,
  slots: Type.Array(SlotStatus),
  progress_pct: Type.Integer({ minimum: 0, maximum: 100 }),
  remaining_s: Type.Union([Type.Integer(), Type.Null()]),
  modes: Type.Array(Type.String()),
  current_mode: TextOrNull,
  remaining_modes: Type.Array(Type.String()),
  group_id: TextOrNull,
  experiment: Type.String(),
  subdir: TextOrNull,
  client_datetime: Type.String(),
  simulated: Type.Boolean(),
  warnings: Type.Array(
    Type.Object({ code: Type.String(), message: Type.String(), slot: TextOrNull, mode: TextOrNull }),
  ),
})
export type RunStatusBody = Static<typeof RunStatusBody>

export const RunSummary = Type.Object({
  run_id: Type.String(),
  mode: Type.String(),
  status: statuses(...RUN_STATUSES),
  started_at: Type.String(),
  ended_at: TextOrNull,
  devices: Type.Array(Type.String()),
})
export type RunSummary = Static<typeof RunSummary>

/** Index of the mode being measured, by the slot that is furthest behind; after the end the last one any slot reached. */
function modeIndex({ status, slots }: RunOverview): number {
  const now = slots.flatMap(({ mode_index }) => (mode_index === null ? [] : [mode_index]))
  if (!isTerminal(status) && now.length > 0) return Math.min(...now)
  return Math.max(0, ...slots.flatMap(({ reports }) => reports.map(({ mode_index }) => mode_index)))
}

export const slotStatus = (run: RunRow, slot: RunSlotRow): SlotStatus => ({
  slot: slot.slot,
  status: slot.status,
  started_at: slot.started_at,
  ended_at: slot.ended_at,
  message: slot.message,
  files: [...slot.files],
  current_mode: slot.mode_index === null ? null : (run.modes[slot.mode_index] ?? null),
  progress_pct: slot.progress_pct,
  samples: slot.samples,
})

export function runStatusBody(run: RunRow): RunStatusBody {
  const index = modeIndex(run)
  const over = isTerminal(run.status)
  const mode = run.modes[index] ?? ''
  return {
    run_id: run.run_id,
    mode,
    started_at: run.started_at,
    // Clients of this call know no queued run.
    status: run.status === 'queued' ? 'running' : run.status,
    ended_at: run.ended_at,
    slots: run.slots.map((slot) => slotStatus(run, slot)),
    progress_pct: run.progress_pct,
    remaining_s: run.remaining_s,
    modes: [...run.modes],
    current_mode: over ? null : mode,
    remaining_modes: over ? [] : run.modes.slice(index + 1),
    group_id: run.group_id,
    experiment: run.experiment_name,
    subdir: run.subdir,
    client_datetime: run.client_datetime,
    simulated: run.simulated,
    warnings: [...run.warnings],
  }
}

export const runSummary = (run: RunOverview): RunSummary => ({
  run_id: run.run_id,
  mode: run.modes[modeIndex(run)] ?? '',
  status: run.status,
  started_at: run.started_at,
  ended_at: run.ended_at,
  devices: run.slots.map(({ slot }) => slot),
})
