import { Document, parseDocument, type ScalarTag, type Tags } from 'yaml'

/** YAML as Pioreactor's software reads and writes it: version 1.1, every number with a decimal point, times without quotes. */

/** A time as it stands in a file. */
export class YamlTime {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }

  /** UTC with `Z`; with six fraction digits unless it is a whole second. Null when it is none or has no zone. */
  get utc(): string | null {
    const found =
      /^(\d{4})-(\d\d?)-(\d\d?)(?:[Tt]|[ \t]+)(\d\d?):(\d\d):(\d\d)(?:\.(\d*))?[ \t]*(Z|[-+]\d\d?(?::?\d\d)?)$/.exec(
        this.text,
      )
    if (found === null) return null
    const [, year, month, day, hour, minute, second, fraction = '', zone = 'Z'] = found
    const two = (digits: string | undefined): string => String(digits).padStart(2, '0')
    const local = Date.parse(`${year}-${two(month)}-${two(day)}T${two(hour)}:${minute}:${second}Z`)
    const utc = new Date(local - offsetMs(zone))
    if (Number.isNaN(utc.getTime())) return null
    const micros = `${fraction}000000`.slice(0, 6)
    return utc.toISOString().replace('.000Z', micros === '000000' ? 'Z' : `.${micros}Z`)
  }

  /** @param utc as above, or with fewer fraction digits */
  static of(utc: string): YamlTime {
    return new YamlTime(utc.replace('T', ' ').replace('Z', '+00:00'))
  }
}

function offsetMs(zone: string): number {
  const [, sign, hours = '0', minutes = '0'] = /^([-+])(\d\d?):?(\d\d)?$/.exec(zone) ?? []
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000
}

const TIME: ScalarTag = {
  tag: 'tag:yaml.org,2002:timestamp',
  default: true,
  identify: (value) => value instanceof YamlTime,
  test: /^\d{4}-\d\d?-\d\d?(?:(?:[Tt]|[ \t]+)\d\d?:\d\d:\d\d(?:\.\d*)?(?:[ \t]*(?:Z|[-+]\d\d?(?::?\d\d)?))?)?$/,
  resolve: (text) => new YamlTime(text),
  stringify: ({ value }) => (value instanceof YamlTime ? value.text : ''),
}

/** 80 → `80.0`, 1e-7 → `1.0e-7`: other readers of version 1.1 take what has no point for an integer, or even for text. */
const NUMBER: ScalarTag = {
  tag: 'tag:yaml.org,2002:float',
  default: true,
  identify: (value) => typeof value === 'number',
  // For writing only; but the library prefers tags that have one.
  test: /(?!)/,
  resolve: Number,
  stringify: ({ value }) => {
    const text = Object.is(value, -0) ? '-0' : String(value)
    return text.includes('.') ? text : text.replace(/^-?\d+/, '$&.0')
  },
}

/** Of version 1.1 too `y` is a name; the library takes it for true. */
const BOOLEAN: ScalarTag = {
  tag: 'tag:yaml.org,2002:bool',
  default: true,
  identify: (value) => typeof value === 'boolean',
  test: /^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$/,
  resolve: (text) => /^(?:yes|true|on)$/i.test(text),
  stringify: ({ value }) => String(value),
}

const OWN = [NUMBER, TIME, BOOLEAN]
const isReplaced = ({ tag }: { readonly tag: string }): boolean => tag === TIME.tag || tag === BOOLEAN.tag

/** Comparing every key with every other one takes long; of two that are the same the last counts, as for other readers. */
const options = {
  uniqueKeys: false,
  schema: 'yaml-1.1',
  customTags: (tags: Tags): Tags => [...OWN, ...tags.filter((tag) => typeof tag === 'string' || !isReplaced(tag))],
} as const

/** YAML has none of them. */
const UNPRINTABLE = /[^\P{Cc}\t\n\r\u0085]/u

const MAX_DEPTH = 50

/** Told from the text, before time goes into reading it: brackets, and lists that begin in one line. */
function isNestedDeeply(text: string): boolean {
  if (new RegExp(`(?:[-?:][ \\t]+){${MAX_DEPTH}}`).test(text)) return true
  let depth = 0
  for (const character of text) {
    if (character === '[' || character === '{') depth++
    else if (character === ']' || character === '}') depth--
    if (depth > MAX_DEPTH) return true
  }
  return false
}

/** @returns maps as `Map`, times as `YamlTime`. @throws Error saying where the text is no YAML */
export function parseYaml(text: string): unknown {
  if (UNPRINTABLE.test(text)) throw new Error('It holds control characters.')
  if (isNestedDeeply(text)) throw new Error('It is nested too deeply.')
  const document = parseDocument(text, { ...options, prettyErrors: true })
  const [wrong] = [...document.errors, ...document.warnings]
  if (wrong !== undefined) throw wrong
  return document.toJS({ mapAsMap: true, maxAliasCount: 100 })
}

/** Block style, keys in their order. */
export const writeYaml = (value: unknown): string =>
  new Document(value, options).toString({ indentSeq: false, singleQuote: true, lineWidth: 0 })
