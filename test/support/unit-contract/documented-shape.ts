/** A JSON value that shows what an answer looks like. */
export type Example = null | boolean | number | string | readonly Example[] | { readonly [key: string]: Example }

/** Keys that may be null where their example is not. Source: `unit-api-behaviour.md` §2.G, §5.1, §9.4. */
const NULLABLE = new Set(
  'ended_at source description subtext label unit default min max options homepage author'.split(' '),
)

/** What the contract's examples hold in place of what lies too deep. */
const CUT_OFF = '<truncated>'

type Entries = Readonly<Record<string, Example>>

const isObject = (value: unknown): value is Entries =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const typeOf = (value: unknown): string => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value)

/** Where an answer lacks a key that its example has, or gives it another type. An example that is null, cut off or an empty list says nothing of its
 * value. The elements of a list have the keys that all elements of the example have. */
export function differences(example: Example, answer: unknown, at = '$'): readonly string[] {
  if (example === null || example === CUT_OFF) return []
  if (typeOf(answer) !== typeOf(example)) return [`${at}: ${typeOf(answer)} instead of ${typeOf(example)}`]
  if (Array.isArray(example)) {
    const element = common(example as readonly Example[])
    return (answer as readonly unknown[]).flatMap((item, index) => differences(element, item, `${at}[${index}]`))
  }
  if (!isObject(example) || !isObject(answer)) return []
  return Object.entries(example).flatMap(([key, value]) => {
    const place = `${at}.${key}`
    if (!Object.hasOwn(answer, key)) return [`${place} is missing`]
    return answer[key] === null && NULLABLE.has(key) ? [] : differences(value, answer[key], place)
  })
}

/** What all of these have in common; null when nothing is known of it. */
function common(examples: readonly Example[]): Example {
  const [first = null, ...others] = examples
  if (others.some((other) => typeOf(other) !== typeOf(first))) return null
  if (Array.isArray(first)) return examples.flatMap((list) => list as readonly Example[])
  if (!isObject(first)) return first
  const keys = Object.keys(first).filter((key) => others.every((other) => isObject(other) && Object.hasOwn(other, key)))
  return Object.fromEntries(keys.map((key) => [key, common(examples.map((one) => (one as Entries)[key] ?? null))]))
}
