import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { check, checkJson } from '../../events/schema.js'
import { replaceFile } from '../../primitives/replace-file.js'
import { createSerialQueue } from '../../primitives/serial-queue.js'

/** Values that belong to an experiment and outlive the jobs that found them. */
export interface ExperimentStore {
  read<S extends TSchema>(name: string, experiment: string, schema: S): Promise<Static<S> | null>
  write(name: string, experiment: string, value: unknown): Promise<void>
  /** Writes the value and drops those of all other experiments: for what is worth nothing once another one goes on. */
  writeOnly(name: string, experiment: string, value: unknown): Promise<void>
  /** @returns whether there was one */
  remove(name: string, experiment: string): Promise<boolean>
}

/** One file `storage/<name>.json` per kind of value, experiment → value; replaced whole. */
export function createExperimentFiles(dotPioreactor: string): ExperimentStore {
  const storage = join(dotPioreactor, 'storage')
  const pathOf = (name: string): string => join(storage, `${name}.json`)
  const readAll = async (name: string): Promise<Record<string, unknown>> => {
    try {
      return checkJson(Type.Record(Type.String(), Type.Unknown()), await readFile(pathOf(name), 'utf8'), name)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {}
      throw error
    }
  }
  const replace = async (name: string, all: Readonly<Record<string, unknown>>): Promise<void> => {
    await mkdir(storage, { recursive: true })
    await replaceFile(pathOf(name), JSON.stringify(all))
  }
  const serially = createSerialQueue()
  return {
    async read(name, experiment, schema) {
      const value = (await readAll(name))[experiment]
      return value === undefined ? null : check(schema, value, name)
    },
    write: (name, experiment, value) =>
      serially(async () => replace(name, { ...(await readAll(name)), [experiment]: value })),
    writeOnly: (name, experiment, value) => serially(() => replace(name, { [experiment]: value })),
    remove: (name, experiment) =>
      serially(async () => {
        const { [experiment]: removed, ...others } = await readAll(name)
        if (removed !== undefined) await replace(name, others)
        return removed !== undefined
      }),
  }
}
