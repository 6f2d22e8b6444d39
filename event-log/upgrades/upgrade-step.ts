import type Database from 'better-sqlite3'

/** How the log of one version becomes that of the next. */
export interface UpgradeStep {
  /** The version it reads; it writes the next. */
  readonly from: number
  /** Writes all events into an empty database, to which the log of version `from` is attached as `old`.
   * @param progress to be called now and then with the position reached, first in copying, then in computing the links */
  write(db: Database.Database, progress: (stage: 'copy' | 'link', position: number) => void): void
  /** One sentence per thing that is not as it was. */
  compare(db: Database.Database): readonly string[]
}
