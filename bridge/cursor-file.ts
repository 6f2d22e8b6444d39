import { mkdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { type Static, Type } from '@sinclair/typebox'
import { checkJson } from '../events/schema.js'
import { replaceFile } from '../primitives/replace-file.js'

/** Up to which event a peer has acknowledged everything. The time of that event tells whether the log is still the one it was. */
const Cursor = Type.Object({
  peer: Type.String(),
  position: Type.Integer({ minimum: 0 }),
  /** Milliseconds UTC; 0 at position 0. */
  recorded_at: Type.Number(),
})
export type Cursor = Static<typeof Cursor>

/** Where the cursor of a peer is kept: a file of its own, so that a peer that is named again later is served from where it was left. */
export const cursorPath = (directory: string, peer: string): string =>
  join(directory, `${encodeURIComponent(peer)}.json`)

/** Null when there is none. @throws InvalidInput when the file is not what was written */
export function readCursor(path: string): Cursor | null {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
  return checkJson(Cursor, text, path)
}

/** Resolves when it is on the medium. */
export async function writeCursor(path: string, cursor: Cursor): Promise<void> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  await replaceFile(path, `${JSON.stringify(cursor)}\n`, { mode: 0o600 })
}
