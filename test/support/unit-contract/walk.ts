import { expect } from 'vitest'
import { expectAsDeclared } from '../../http-gateway/support/as-declared.js'
import type { Lab } from '../start-lab.js'
import { until } from '../until.js'
import { type ContractEntry, contract, idOf, NOT_BUILT } from './contract.js'
import { differences, type Example } from './documented-shape.js'
import type { Recipe } from './recipes.js'

/** An entry with how it is walked. */
export interface Step {
  readonly entry: ContractEntry
  readonly recipe: Recipe
}

/** One step per method. */
export const stepsOf = (recipes: readonly Recipe[]): readonly Step[] =>
  recipes.flatMap((recipe) => {
    const [methods = '', path = ''] = recipe.id.split(' ')
    return methods.split('+').map((method) => {
      const entry = contract.find((candidate) => idOf(candidate) === `${method} ${path}`)
      if (entry === undefined) throw new Error(`${method} ${path} is not in the contract`)
      return { entry, recipe }
    })
  })

/** The archive that was downloaded last, for the entry that takes one. */
let archive = new Blob([])

/** Asks the unit, and compares its answer with the contract; the task of an accepted order is followed to its end. */
export async function walk(lab: Lab, { entry, recipe }: Step, role: 'alone' | 'worker'): Promise<void> {
  const path = entry.path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(recipe.path?.[name] ?? ''))
  const response = await fetch(lab.url + path, { method: entry.method, ...contentOf(recipe) })
  const bytes = await response.arrayBuffer()
  const json = /json/.test(response.headers.get('content-type') ?? '')
    ? (JSON.parse(Buffer.from(bytes).toString()) as unknown)
    : undefined
  expectAsDeclared(entry.method, path, response.status, json)
  if (NOT_BUILT.includes(idOf(entry))) {
    // Whoever builds it takes it out of that list.
    expect(response.status).toBe(404)
    return
  }
  if (role === 'worker' && recipe.leaderOnly === true) {
    expect([response.status, json]).toMatchObject([403, { status: 403, error: expect.any(String) }])
    return
  }
  expect([response.status, json]).toEqual([entry.status, json])
  expect(response.headers.get('content-type')).toBe(recipe.type ?? 'application/json')
  expect(response.headers.get('cache-control')).toBe(recipe.cache)
  if (response.headers.get('content-type') === 'application/zip') archive = new Blob([bytes])
  const example = recipe.shows ?? entry.response_example ?? null
  const answers = recipe.byName === true ? Object.values(json as object) : [json]
  expect(answers).not.toEqual([])
  const shown = recipe.byName === true && recipe.shows === undefined ? ofFirstName(example) : example
  expect(answers.flatMap((answer) => differences(shown, answer))).toEqual([])
  if (entry.status === 202 && entry.method !== 'GET') await follow(lab, json as Accepted, recipe.fails === true)
}

function contentOf({ body, upload }: Recipe): RequestInit {
  if (upload === true) {
    const form = new FormData()
    form.set('archive', archive, 'archive.zip')
    return { body: form }
  }
  return body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
}

const ofFirstName = (example: Example): Example =>
  Object.values(example as Readonly<Record<string, Example>>)[0] ?? null

interface Accepted {
  readonly unit: string
  readonly task_id: string
  readonly result_url_path: string
}

interface TaskAnswer {
  readonly status: string
  readonly result?: unknown
  readonly error?: string
}

/** Polls as a leader does: 202 while there is nothing to tell, 200 with the same answer ever after. */
async function follow(lab: Lab, { unit, task_id, result_url_path }: Accepted, fails: boolean): Promise<void> {
  expect(unit).toBe(lab.unit)
  expect(task_id).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
  expect(result_url_path).toBe(`/unit_api/task_results/${task_id}`)
  await until(async () => (await fetch(lab.url + result_url_path)).status !== 202, 'the task to end', 60_000)
  const [first, second] = [await lab.get<TaskAnswer>(result_url_path), await lab.get<TaskAnswer>(result_url_path)]
  expect(second).toEqual(first)
  expect(first).toMatchObject({ task_id, result_url_path })
  if (first.status === 'failed')
    expect(first).toMatchObject({ error: expect.stringMatching(/\S/), cause: expect.any(String) })
  const went = first.status === 'succeeded' && first.result !== false
  expect([went, first]).toEqual([!fails, first])
}
