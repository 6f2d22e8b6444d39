import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Static, TObject, TSchema } from '@sinclair/typebox'
import { parse } from 'yaml'
import { check } from '../../../events/schema.js'
import { readRegularFile } from '../../../primitives/read-regular-file.js'
import { checkDescriptor } from './descriptor-rules.js'

const MAX_FILES = 100
const MAX_FILE_BYTES = 64 * 1024
/** Of all descriptors of files of a kind: they are one message together. */
const MAX_BYTES = 400 * 1024

/** What files give, in the order of their names. */
export interface DescriptorFiles<T> {
  readonly descriptors: readonly T[]
  /** Why files were left out. */
  readonly problems: readonly string[]
}

/** Reads the descriptors of the `*.yaml` and `*.yml` files of directories below `dotPioreactor`, those of the first one first. A broken file costs itself. */
export async function readDescriptorFiles<S extends TObject>(
  dotPioreactor: string,
  directories: readonly string[],
  schema: S,
): Promise<DescriptorFiles<Static<S>>> {
  const descriptors: Static<S>[] = []
  const problems: string[] = []
  let left = MAX_BYTES
  const paths = (await Promise.all(directories.map((directory) => filesIn(dotPioreactor, directory)))).flat()
  if (paths.length > MAX_FILES) problems.push(`There are ${paths.length} descriptor files; ${MAX_FILES} are read.`)
  for (const path of paths.slice(0, MAX_FILES)) {
    try {
      const descriptor = check(
        schema,
        completed(schema, parsed(await readRegularFile(join(dotPioreactor, path), MAX_FILE_BYTES))),
      )
      checkDescriptor(descriptor)
      left -= Buffer.byteLength(JSON.stringify(descriptor))
      if (left < 0) throw new Error(`the descriptors of files have more than ${MAX_BYTES} bytes together`)
      descriptors.push(descriptor)
    } catch (error) {
      problems.push(`${path}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  return { descriptors, problems }
}

async function filesIn(dotPioreactor: string, directory: string): Promise<readonly string[]> {
  try {
    const names = await readdir(join(dotPioreactor, directory))
    return names
      .filter((name) => /\.ya?ml$/.test(name))
      .sort()
      .map((name) => join(directory, name))
  } catch {
    return []
  }
}

function parsed(content: Buffer): unknown {
  try {
    return parse(content.toString(), { prettyErrors: false, logLevel: 'error', maxAliasCount: 100 })
  } catch (error) {
    throw new Error(`it is no YAML: ${(error as Error).message}`)
  }
}

/** The value with its fields in the order of the schema and what is left out as the schema says; other fields stay, for the check to refuse. */
function completed(schema: TSchema, value: unknown): unknown {
  const items = schema['items'] as TSchema | undefined
  if (items !== undefined && Array.isArray(value)) return value.map((item: unknown) => completed(items, item))
  const properties = schema['properties'] as Readonly<Record<string, TSchema>> | undefined
  if (properties === undefined || typeof value !== 'object' || value === null || Array.isArray(value)) return value
  const given = new Map(Object.entries(value))
  const known = Object.entries(properties).flatMap(([name, field]) => {
    if (given.has(name)) return [[name, completed(field, given.get(name))] as const]
    return 'default' in field ? [[name, structuredClone<unknown>(field['default'])] as const] : []
  })
  const others = [...given].filter(([name]) => !Object.hasOwn(properties, name))
  return Object.fromEntries([...known, ...others])
}
