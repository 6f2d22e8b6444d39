import { closeSync, openSync, readFileSync, writeSync } from 'node:fs'
import Database from 'better-sqlite3'
import { event, logPath, openWriter } from './log.js'

const PAGE_BYTES = 1024
/** First byte of a page: SQLite's kinds of pages that hold a table. */
const KINDS = { interior: 5, leaf: 13 } as const

/** A closed log of so many events, each with a retained value. */
export async function writtenLog(events: number, path = logPath()): Promise<string> {
  const writer = await openWriter({ path })
  // Batches that are not so large that links become rare.
  for (let from = 0; from < events; from += 50) {
    await writer.append(
      Array.from({ length: Math.min(50, events - from) }, (_, i) =>
        event(`t/${(from + i) % 50}`, `value ${from + i}`, { retain: true }),
      ),
    )
  }
  await writer.close()
  return path
}

/** Overwrites the page of that kind that is nearest to a place in the file, by default its middle. */
export function overwritePage(path: string, kind: keyof typeof KINDS, place = 0.5): void {
  const file = readFileSync(path)
  const pages = file.length / PAGE_BYTES
  // The first pages are the roots.
  const ofKind = Array.from({ length: pages - 20 }, (_, i) => i + 20).filter(
    (page) => file[page * PAGE_BYTES] === KINDS[kind],
  )
  const nearest = ofKind.toSorted((a, b) => Math.abs(a - place * pages) - Math.abs(b - place * pages))[0] ?? 0
  const fd = openSync(path, 'r+')
  writeSync(fd, Buffer.alloc(PAGE_BYTES, 0xa5), 0, PAGE_BYTES, nearest * PAGE_BYTES)
  closeSync(fd)
}

/** Last position that can be read from the first on, asked one by one. */
export function lastReadable(path: string): number {
  const db = new Database(path, { readonly: true })
  const event = db.prepare('SELECT * FROM events WHERE position = ?')
  let position = 0
  try {
    while (event.get(position + 1) !== undefined) position++
  } catch {
    // The damage.
  }
  db.close()
  return position
}
