import { randomUUID } from 'node:crypto'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { Type } from '@sinclair/typebox'
import { checkJson } from '../../events/schema.js'
import { replaceFileSync } from '../../primitives/replace-file.js'
import type { SafeStateReport } from './safe-state.js'

/** What a run of safe-state did, kept in a file until it can be published: safe-state itself needs no broker. The services remove it
 * before they switch anything on, so that as long as it is there it holds. */
export interface SafeStateResult extends SafeStateReport {
  readonly id: string
  /** ms UTC by the machine's clock. */
  readonly at: number
}

const Stored = Type.Object({
  id: Type.String(),
  at: Type.Number(),
  safe: Type.Boolean(),
  done: Type.Array(Type.String()),
  failed: Type.Array(Type.Object({ step: Type.String(), reason: Type.String() })),
})

const pathIn = (runDirectory: string): string => join(runDirectory, 'safe-state.json')

/** Gives the report its identity. @param at when it was, ms UTC by the machine's clock. */
export const resultOf = (report: SafeStateReport, at: number): SafeStateResult => ({ id: randomUUID(), at, ...report })

/** @throws Error of the operating system, for instance on a full disk. */
export function keepResult(runDirectory: string, result: SafeStateResult): void {
  const path = pathIn(runDirectory)
  replaceFileSync(path, JSON.stringify(result), { mode: 0o600, draft: `${path}.${process.pid}` })
}

/** Null when there is none, or none that can be read. */
export function readResult(runDirectory: string): SafeStateResult | null {
  try {
    return checkJson(Stored, readFileSync(pathIn(runDirectory), 'utf8'), 'safe-state.json')
  } catch {
    return null
  }
}

export const forgetResult = (runDirectory: string): void => rmSync(pathIn(runDirectory), { force: true })
