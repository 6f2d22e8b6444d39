import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Static, type TSchema, Type } from '@sinclair/typebox'
import { checkJson } from '../../events/schema.js'
import { replaceFile } from '../../primitives/replace-file.js'
import { createSerialQueue } from '../../primitives/serial-queue.js'

/** Values that belong to an experiment and outlive the jobs that found them. */
export interface ExperimentStore {
  read<S extends TSchema>(name: string, experiment: string, schema: S): Promise<Static<S> | null>
  write(name: string, experiment: string, value: unknown): Promise<void>
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
  const serially = createSerialQueue()
  return {
    async read(name, experiment, schema) {
      const value = (await readAll(name))[experiment]
      return value === undefined ? null : checkJson(schema, JSON.stringify(value), name)
    },
    async write(name, experiment, value) {
      await serially(async () => {
        const all = { ...(await readAll(name)), [experiment]: value }
        await mkdir(storage, { recursive: true })
        await replaceFile(pathOf(name), JSON.stringify(all))
      })
    },
  }
}
