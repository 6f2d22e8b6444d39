import { readFileSync } from 'node:fs'
import type { Example } from './documented-shape.js'

/** An entry of the unit API's contract. */
export interface ContractEntry {
  readonly method: string
  readonly path: string
  readonly status: number
  readonly body_fields?: readonly { readonly name: string }[]
  /** Shortened: lists hold three elements at most. */
  readonly response_example?: Example
}

export const contract = (
  JSON.parse(readFileSync('test/fixtures/unit-api-contract.json', 'utf8')) as { endpoints: readonly ContractEntry[] }
).endpoints

/** `GET /unit_api/health` */
export const idOf = ({ method, path }: ContractEntry): string => `${method} ${path}`

/** Entries that the unit does not serve yet: who builds one takes it out. */
export const NOT_BUILT: readonly string[] = []
