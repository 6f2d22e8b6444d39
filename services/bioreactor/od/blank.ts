import { Type } from '@sinclair/typebox'
import type { ExperimentStore } from '../experiment-store.js'

/** Mean reading of medium without cells, by channel; empty where none was measured. */
export type Blank = Readonly<Record<string, number>>

/** The name that a Pioreactor gives it. */
const STORE = 'od_blank'

export const readBlank = async (store: ExperimentStore, experiment: string): Promise<Blank> =>
  (await store.read(STORE, experiment, Type.Record(Type.String(), Type.Number()))) ?? {}

export const writeBlank = (store: ExperimentStore, experiment: string, blank: Blank): Promise<void> =>
  store.write(STORE, experiment, blank)

/** @returns whether there was one */
export const removeBlank = (store: ExperimentStore, experiment: string): Promise<boolean> =>
  store.remove(STORE, experiment)
