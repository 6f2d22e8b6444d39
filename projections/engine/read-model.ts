import type { RunFilesQueries } from '../run-files/run-files-queries.js'
import type { Projection } from './projection.js'
import type { Tables } from './queries.js'

/** What queries are asked of. */
export interface ReadModelSource {
  tables<T>(): Tables<T>
  /** What the run-file sink has written; null as long as it has made no tables. */
  files(): RunFilesQueries | null
}

/** Tables with the folds that fill them and the queries that read them. */
export interface ReadModel<Queries extends object = object> {
  readonly projections: readonly Projection[]
  queries(source: ReadModelSource): Queries
}

/** Declares a read model; with its line in `projections/index.ts` it is folded, rebuilt, and asked by the gateway.
 *
 * ```ts
 * export const tasksByUnit = readModel([tasks], (tables: Tables<{ tasks: TaskRow }>) => {
 *   const ofUnit = tables.query<{ unit: string }, TaskRow>((from, value) =>
 *     from.selectFrom('tasks').selectAll().where('unit', '=', value('unit')))
 *   return { tasksOf: (unit: string) => ofUnit({ unit }) }
 * })
 * ```
 * @param queries functions that answer with a promise, under names no other read model has. */
export const readModel = <T = unknown, Queries extends object = Record<never, never>>(
  projections: readonly Projection[],
  queries?: (tables: Tables<T>, files: ReadModelSource['files']) => Queries,
): ReadModel<Queries> => ({
  projections,
  queries: ({ tables, files }) => queries?.(tables<T>(), files) ?? ({} as Queries),
})
