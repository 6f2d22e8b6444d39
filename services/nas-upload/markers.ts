import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { replaceFile } from '../../primitives/replace-file.js'
import { isMissing } from './config-store.js'

/** `UPLOAD_DONE`: a line `<UTC timestamp> <run_id>` for each run of the directory that is on the share. `UPLOAD_FAILED`: a line
 * `<UTC timestamp> <run_id> <reason>` for each whose last attempt failed. Neither is uploaded. */
export type MarkerName = 'UPLOAD_DONE' | 'UPLOAD_FAILED'

export interface MarkerLine {
  readonly timestamp: string
  readonly runId: string
  readonly reason: string
}

/** Lines that say something; others are dropped. */
export function parseMarker(text: string): readonly MarkerLine[] {
  return text.split('\n').flatMap((line) => {
    const [timestamp = '', runId = '', ...reason] = line.split(' ')
    return runId === '' || Number.isNaN(Date.parse(timestamp)) ? [] : [{ timestamp, runId, reason: reason.join(' ') }]
  })
}

/** The text with the run's line replaced, or removed when there is none; empty when no line is left. */
export function withLine(text: string, runId: string, line: Omit<MarkerLine, 'runId'> | null): string {
  const others = parseMarker(text).filter((other) => other.runId !== runId)
  const lines = line === null ? others : [...others, { ...line, runId }]
  return lines.map((entry) => `${formatLine(entry)}\n`).join('')
}

const formatLine = ({ timestamp, runId, reason }: MarkerLine): string =>
  [timestamp, runId, reason.replace(/\s+/g, ' ')].join(' ').trimEnd()

/** Line of a run in a marker of its directory, or null. */
export async function findLine(directory: string, name: MarkerName, runId: string): Promise<MarkerLine | null> {
  const lines = parseMarker(await readText(join(directory, name)))
  return lines.find((line) => line.runId === runId) ?? null
}

/** Replaces or removes a run's line; a marker without lines is deleted. */
export async function setLine(
  directory: string,
  name: MarkerName,
  runId: string,
  line: Omit<MarkerLine, 'runId'> | null,
): Promise<void> {
  const path = join(directory, name)
  const before = await readText(path)
  const after = withLine(before, runId, line)
  if (after === '') {
    await rm(path, { force: true })
    return
  }
  if (after === before) return
  await replaceFile(path, after)
}

const readText = (path: string): Promise<string> =>
  readFile(path, 'utf8').catch((error: unknown) => {
    if (isMissing(error)) return ''
    throw error
  })
