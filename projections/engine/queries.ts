import type Database from 'better-sqlite3'
import {
  type Compilable,
  DummyDriver,
  type Expression,
  Kysely,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  sql,
} from 'kysely'

/** Builds SQL without running it. */
type Builder<Tables> = Pick<Kysely<Tables>, 'selectFrom'>

/** Stands in a query for a value that is given each time it runs. */
export type Parameters<Values> = <K extends keyof Values & string>(name: K) => Expression<Values[K]>

/** A query prepared once: rows for the values of its parameters. */
export type Query<Values, Row> = (values: Values) => Promise<readonly Row[]>

/** Tables that can be asked. Queries are typed by the rows the folds return, and prepared when they are declared.
 *
 * ```ts
 * const tables = openTables<{ tasks: { task_id: string; record: string } }>(database)
 * const byId = tables.query<{ id: string }, { record: string }>((from, value) =>
 *   from.selectFrom('tasks').select('record').where('task_id', '=', value('id')))
 * const [task] = await byId({ id: 't1' })
 * ```
 * Answers are promises although SQLite answers at once: the same read models may live in a database that does not. */
export interface Tables<T> {
  query<Values, Row>(build: (from: Builder<T>, value: Parameters<Values>) => Compilable<Row>): Query<Values, Row>
}

/** The place of a parameter among the values of a compiled query. */
class Placeholder {
  readonly name: string

  constructor(name: string) {
    this.name = name
  }
}

const builder = new Kysely<never>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
})

/** Tables that are not there yet: what is asked of them rejects. */
export const absentTables = <T>(reason: () => Error): Tables<T> => ({
  query: () => async () => {
    throw reason()
  },
})

/** Asks an SQLite database. @throws when a query names a table or column that is not there yet. */
export function openTables<T>(database: Database.Database): Tables<T> {
  return {
    query<Values, Row>(build: (from: Builder<T>, value: Parameters<Values>) => Compilable<Row>): Query<Values, Row> {
      const value: Parameters<Values> = (name) => sql`${new Placeholder(name)}`
      // One builder serves all tables: their types exist only for the compiler.
      const compiled = build(builder as unknown as Builder<T>, value).compile()
      const statement = database.prepare<unknown[], Row>(compiled.sql)
      const { parameters } = compiled
      return async (values) =>
        statement.all(
          parameters.map((parameter) =>
            parameter instanceof Placeholder ? values[parameter.name as keyof Values] : parameter,
          ),
        )
    },
  }
}
