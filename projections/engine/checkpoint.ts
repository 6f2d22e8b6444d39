import type { Tables } from './queries.js'

/** How far each projection has folded. */
export interface CheckpointTable {
  readonly checkpoints: { readonly projection: string; readonly version: number; readonly position: number }
  readonly parked_events: { readonly position: number; readonly projection: string; readonly reason: string }
}

/** Queries of the projector's own table. */
export function checkpointQueries(tables: Tables<CheckpointTable>) {
  const lowest = tables.query<object, { position: number | null }>((from) =>
    from.selectFrom('checkpoints').select((count) => count.fn.min('position').as('position')),
  )
  const parked = tables.query<object, { events: number }>((from) =>
    from.selectFrom('parked_events').select((count) => count.fn.count<number>('position').distinct().as('events')),
  )
  return {
    /** Position up to which every projection has folded the log. */
    position: async (): Promise<number> => (await lowest({}))[0]?.position ?? 0,
    /** How many events a projection could make nothing of. */
    parkedEvents: async (): Promise<number> => (await parked({}))[0]?.events ?? 0,
  }
}
