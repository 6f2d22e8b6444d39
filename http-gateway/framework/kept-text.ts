import { JsonText } from './endpoint.js'

/** Makes the JSON of a list whose rows stay the same objects as long as they have not changed: each is written once, and so is the list.
 * ```ts
 * const namesOf = keptText((job: JobRecord) => ({ name: job.job_name }))
 * handle: async (_input, { readModels }) => namesOf(await readModels.allJobs())
 * ```
 * @param bodyOf what the answer says of a row; depends on nothing else. */
export function keptText<Row extends object, Body>(
  bodyOf: (row: Row) => Body,
): (rows: readonly Row[]) => JsonText<Body[]> {
  const texts = new WeakMap<Row, string>()
  const lists = new WeakMap<readonly Row[], JsonText<Body[]>>()
  const textOf = (row: Row): string => {
    const known = texts.get(row)
    if (known !== undefined) return known
    const text = JSON.stringify(bodyOf(row))
    texts.set(row, text)
    return text
  }
  return (rows) => {
    const known = lists.get(rows)
    if (known !== undefined) return known
    const list = new JsonText<Body[]>(Buffer.from(`[${rows.map(textOf).join(',')}]`))
    lists.set(rows, list)
    return list
  }
}
