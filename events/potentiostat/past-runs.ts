import { type Static, Type } from '@sinclair/typebox'
import { defineEvent } from '../core/define-event.js'
import { Timestamp } from '../core/timestamp.js'

/** Ids in one list: 40 kB at most, so that adding one stays cheap after years of runs. */
export const PAST_RUNS_PER_LIST = 500

export const PastRuns = Type.Object({
  /** Number of this list, as in the topic; the first is 1. */
  list: Type.Integer({ minimum: 1 }),
  run_ids: Type.Array(Type.String(), { maxItems: PAST_RUNS_PER_LIST }),
  timestamp: Timestamp,
})
export type PastRuns = Static<typeof PastRuns>

export const pastRunsEvent = defineEvent({
  pattern: 'potentiostat/<box>/$past_runs/<list>',
  retained: true,
  payload: PastRuns,
  doc: 'Ids of runs whose own topics are cleared, oldest first: none of them is used again. A full list is followed by the next.',
})
