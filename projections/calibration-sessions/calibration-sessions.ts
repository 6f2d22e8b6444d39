import {
  type CalibrationProtocol,
  calibrationProtocolsEvent,
  calibrationSessionEvent,
  SessionView,
} from '../../events/bioreactor/calibration-sessions.js'
import { foldProjection } from '../engine/projection.js'
import type { Tables } from '../engine/queries.js'
import { readModel } from '../engine/read-model.js'

type SessionRow = {
  readonly session_id: string
  readonly unit: string
  readonly status: string
  readonly record: string
}

/** Guided calibrations by id; `record` is session and step as last published, JSON. A cleared one is forgotten. */
const sessions = foldProjection<SessionRow>({
  name: 'calibration_sessions',
  version: 1,
  on: [calibrationSessionEvent.filter()],
  columns: { session_id: 'TEXT', unit: 'TEXT', status: 'TEXT', record: 'TEXT' },
  key: ['session_id'],
  keys: (event) => [[event.level(3)]],
  evolve: (_, event) =>
    event.isEmpty
      ? null
      : {
          session_id: event.level(3),
          unit: event.level(1),
          status: event.as(SessionView).session.status,
          record: event.text,
        },
})

type ProtocolsRow = { readonly unit: string; readonly record: string }

/** What a unit can be calibrated by; `record` is the list as announced, JSON. */
const protocols = foldProjection<ProtocolsRow>({
  name: 'calibration_protocols',
  version: 1,
  on: [calibrationProtocolsEvent.filter()],
  columns: { unit: 'TEXT', record: 'TEXT' },
  key: ['unit'],
  keys: (event) => [[event.level(1)]],
  evolve(_, event) {
    if (event.isEmpty) return null
    event.as(calibrationProtocolsEvent.payload)
    return { unit: event.level(1), record: event.text }
  },
})

interface SessionTables {
  readonly calibration_sessions: SessionRow
  readonly calibration_protocols: ProtocolsRow
}

/** Records were checked when they were folded. */
export const calibrationSessions = readModel([sessions, protocols], (tables: Tables<SessionTables>) => {
  const byId = tables.query<{ id: string }, Pick<SessionRow, 'record'>>((from, value) =>
    from.selectFrom('calibration_sessions').select('record').where('session_id', '=', value('id')),
  )
  const ofUnit = tables.query<{ unit: string }, Pick<ProtocolsRow, 'record'>>((from, value) =>
    from.selectFrom('calibration_protocols').select('record').where('unit', '=', value('unit')),
  )
  return {
    /** A guided calibration with its step; null when there is none. */
    async calibrationSession(id: string): Promise<SessionView | null> {
      const [found] = await byId({ id })
      return found === undefined ? null : (JSON.parse(found.record) as SessionView)
    },
    /** Guided calibrations on offer, in their order. */
    async calibrationProtocols(unit: string): Promise<readonly CalibrationProtocol[]> {
      const [found] = await ofUnit({ unit })
      return found === undefined ? [] : (JSON.parse(found.record) as CalibrationProtocol[])
    },
  }
})
