import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { parse } from 'yaml'
import type { LabError } from '../../../events/core/errors.js'
import { check } from '../../../events/schema.js'

/** A kind of artifact: files `storage/<kind>/<device>/<name>.yaml`, and `storage/active_<kind>.json`, which names the one in use per device. */
export interface ArtifactKind<S extends TSchema> {
  readonly kind: 'calibrations' | 'estimators'
  readonly schema: S
  /** What is wrong with it beyond its schema; null when nothing is. */
  problem(artifact: Static<S>): string | null
  /** The error for one that cannot be used. */
  unusable(device: string, name: string, reason: string): LabError
}

/** The artifact in use for a device; null when none is. @throws what `unusable` makes of a file that is missing or not as declared */
export async function readActive<S extends TSchema>(
  dotPioreactor: string,
  { kind, schema, problem, unusable }: ArtifactKind<S>,
  device: string,
): Promise<Static<S> | null> {
  const storage = join(dotPioreactor, 'storage')
  const pointers = await readIfPresent(join(storage, `active_${kind}.json`))
  const names = pointers === null ? {} : check(Type.Record(Type.String(), Type.String()), JSON.parse(pointers))
  const name = names[device]
  if (name === undefined) return null
  const text = await readIfPresent(join(storage, kind, device, `${name}.yaml`))
  if (text === null) throw unusable(device, name, 'its file is missing')
  let found: Static<S>
  try {
    found = check(schema, parse(text), name)
  } catch (cause) {
    throw unusable(device, name, cause instanceof Error ? cause.message : String(cause))
  }
  const wrong = problem(found)
  if (wrong !== null) throw unusable(device, name, wrong)
  return found
}

async function readIfPresent(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw error
  }
}
