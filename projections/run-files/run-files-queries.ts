import type { Tables } from '../engine/queries.js'

/** Where the files of a run are, and whether they are complete. */
export interface RunFolder {
  /** Relative to the runs' root; null until the run has a directory. */
  readonly directory: string | null
  /** Whether a file is still being written or drawn. */
  readonly pending: boolean
}

/** What the run-file sink knows of a run. */
export interface RunFilesState extends RunFolder {
  /** Finished files relative to the run's directory. */
  readonly files: readonly { readonly slot: string; readonly path: string }[]
  /** What could not be written or drawn, one sentence each. */
  readonly problems: readonly string[]
}

/** The sink's tables, as far as they are asked. */
export interface RunFilesTables {
  readonly checkpoint: { readonly position: number }
  readonly runs: { readonly run_id: string; readonly directory: string; readonly has_manifest: number }
  readonly files: { readonly run_id: string; readonly slot: string; readonly path: string; readonly complete: number }
  readonly problems: {
    readonly run_id: string
    readonly slot: string
    readonly mode_index: number
    readonly reason: string
  }
}

export type RunFilesQueries = ReturnType<typeof runFilesQueries>

/** Queries of what the run-file sink has written. */
export function runFilesQueries(tables: Tables<RunFilesTables>) {
  const checkpoint = tables.query<object, { position: number }>((from) =>
    from.selectFrom('checkpoint').select('position'),
  )
  const folder = tables.query<{ runId: string }, RunFilesTables['runs']>((from, value) =>
    from.selectFrom('runs').select(RUN_COLUMNS).where('run_id', '=', value('runId')),
  )
  const files = tables.query<{ runId: string }, RunFilesState['files'][number]>((from, value) =>
    from
      .selectFrom('files')
      .select(['slot', 'path'])
      .where('run_id', '=', value('runId'))
      .where('complete', '=', 1)
      .orderBy('path'),
  )
  const problems = tables.query<{ runId: string }, { reason: string }>((from, value) =>
    from
      .selectFrom('problems')
      .select('reason')
      .where('run_id', '=', value('runId'))
      .orderBy('slot')
      .orderBy('mode_index')
      .orderBy('reason'),
  )
  return {
    /** Position up to which files have been written. */
    position: async (): Promise<number> => (await checkpoint({}))[0]?.position ?? 0,
    async state(runId: string): Promise<RunFilesState> {
      const [known] = await folder({ runId })
      return {
        directory: known?.directory ?? null,
        files: await files({ runId }),
        // The manifest comes last, and uploads go by it.
        pending: known?.has_manifest === 0,
        problems: (await problems({ runId })).map(({ reason }) => reason),
      }
    },
    /** Null for a run the sink does not know. */
    async folder(runId: string): Promise<RunFolder | null> {
      const [known] = await folder({ runId })
      return known === undefined ? null : { directory: known.directory, pending: known.has_manifest === 0 }
    },
  }
}

const RUN_COLUMNS = ['run_id', 'directory', 'has_manifest'] as const
