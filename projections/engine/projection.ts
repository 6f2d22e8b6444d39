import type { FoldEvent } from './fold-event.js'

/** What SQLite stores in a column. */
export type SqlValue = string | number | null
export type SqlRow = Readonly<Record<string, SqlValue>>

export interface IndexDeclaration {
  readonly columns: readonly string[]
  /** Events that yield the same values here are duplicates; the first one counts. */
  readonly unique?: boolean
}

interface Declaration {
  /** Name of the table. */
  readonly name: string
  /** Raise it when columns or rules change: the table is then rebuilt from the first event. */
  readonly version: number
  /** MQTT topic filters of the events it wants. */
  readonly on: readonly string[]
  /** Column name → SQL type and constraints, in order. */
  readonly columns: Readonly<Record<string, string>>
  readonly indexes?: readonly IndexDeclaration[]
  /** Views built upon the table, name → SELECT. */
  readonly views?: Readonly<Record<string, string>>
}

/** A list: every event adds at most one row, values in the order of the columns. The row's rowid is the event's position,
 * so folding an event again changes nothing. */
export interface RowsProjection extends Declaration {
  readonly kind: 'rows'
  /** How many of the first columns rarely differ from row to row, as experiment and unit do: they are handed to SQLite once for many
   * rows. Rows that differ here are not duplicates of each other. */
  readonly shared?: number
  /** Pure; throws when the event is malformed. Null: the event adds nothing. */
  readonly row: (event: FoldEvent) => readonly SqlValue[] | null
}

/** A state per key: `evolve` gets the present row or null, and returns the next one, or null to remove it. */
export interface FoldProjection<Row extends SqlRow = SqlRow> extends Declaration {
  readonly kind: 'fold'
  readonly columns: { readonly [K in keyof Row & string]: string }
  /** Columns of the primary key. */
  readonly key: readonly (keyof Row & string)[]
  /** Values of the key columns of each row the event concerns. Pure; throws when the event is malformed. */
  readonly keys: (event: FoldEvent) => readonly (readonly SqlValue[])[]
  /** The keys depend on nothing but the topic, so they are asked for once per topic and batch. */
  readonly keysFollowTopic?: true
  /** Pure; no clock. Throws when the event is malformed, which leaves the row as it was. */
  readonly evolve: (row: Row | null, event: FoldEvent, key: readonly SqlValue[]) => Row | null
}

export type Projection = RowsProjection | FoldProjection

/** Declares a projection whose rows are states. */
export const foldProjection = <Row extends SqlRow>(declared: Omit<FoldProjection<Row>, 'kind'>): Projection =>
  // The projector hands `evolve` only rows it returned itself, so the row type may be forgotten here.
  ({ kind: 'fold', ...declared }) as unknown as FoldProjection

/** Declares a projection whose rows are a list. */
export const rowsProjection = (declared: Omit<RowsProjection, 'kind'>): Projection => ({ kind: 'rows', ...declared })
