import type { Tables } from './queries.js'

/** How far each projection has folded. */
export interface CheckpointTable {
  readonly checkpoints: { readonly projection: string; readonly version: number; readonly position: number }
}

/** Queries of the projector's own table. */
export function checkpointQueries(tables: Tables<CheckpointTable>) {
  const lowest = tables.query<object, { position: number | null }>((from) =>
    from.selectFrom('checkpoints').select((count) => count.fn.min('position').as('position')),
  )
  return {
    /** Position up to which every projection has folded the log. */
    position: async (): Promise<number> => (await lowest({}))[0]?.position ?? 0,
  }
}
