import { MalformedConfig } from '../../../events/config/errors.js'

/** Options by section, in order of appearance; null for an option without a delimiter. `DEFAULT` is a section like the others here. */
export type IniSections = ReadonlyMap<string, ReadonlyMap<string, string | null>>

export const DEFAULT_SECTION = 'DEFAULT'

export interface ParseIniOptions {
  /** Refuse duplicate sections and options instead of letting the last one win. */
  readonly strict?: boolean
}

/** Longer names are no names; they are repeated wherever the option is told of. */
const MAX_NAME_LENGTH = 200

const COMMENT = /^\s*[#;]/
const SECTION = /^\[(.+)\]/

const TOO_LONG = `a name is longer than ${MAX_NAME_LENGTH} characters`

/** Reads INI text: names case-sensitive, `=` or `:`, whole-line comments only, more-indented lines continue a value. Dashes that word
 * processors substitute count as `-`. @throws MalformedConfig `config.malformed` with the line. Source: Python's configparser. */
export function parseIni(text: string, { strict = false }: ParseIniOptions = {}): IniSections {
  const sections = new Map<string, Map<string, string | null>>()
  let section: Map<string, string | null> | undefined
  let sectionName = ''
  let option: string | null = null
  let indent = 0

  for (const [index, line] of text
    .replace(/^\uFEFF/, '')
    .replace(/[–—]/g, '-')
    .split(/\r\n|\r|\n/)
    .entries()) {
    const refuse = (problem: string): never => {
      // Not the line itself: it may hold a password.
      throw new MalformedConfig(`Line ${index + 1}: ${problem}.`, { details: { line: index + 1 } })
    }
    if (COMMENT.test(line)) continue
    const content = line.trim()
    const depth = line.length - line.trimStart().length
    if (option !== null && section !== undefined && (content === '' || depth > indent)) {
      section.set(option, `${section.get(option) ?? ''}\n${content}`)
      continue
    }
    if (content === '') continue
    indent = depth
    const header = SECTION.exec(content)?.[1]
    if (header !== undefined) {
      if (header.length > MAX_NAME_LENGTH) refuse(TOO_LONG)
      if (strict && sections.has(header)) refuse(`section [${header}] stands twice`)
      section = sections.get(header) ?? new Map()
      sections.set(header, section)
      sectionName = header
      option = null
      continue
    }
    if (content.startsWith('[')) refuse('a section has no closing bracket')
    const at = content.search(/[=:]/)
    const name = (at === -1 ? content : content.slice(0, at)).trimEnd()
    const value = at === -1 ? undefined : content.slice(at + 1)
    if (section === undefined) throw refuse('an option stands before the first section')
    if (name === '') refuse('an option has no name')
    if (name.length > MAX_NAME_LENGTH) refuse(TOO_LONG)
    if (strict && section.has(name)) refuse(`option ${name} stands twice in [${sectionName}]`)
    option = name
    section.set(name, value?.trim() ?? null)
  }

  for (const options of sections.values()) {
    // Blank lines belong to a value only when more of it follows.
    for (const [name, value] of options) if (value !== null) options.set(name, value.trimEnd())
  }
  return sections
}

/** Later layers win, option by option. */
export function mergeIni(...layers: readonly IniSections[]): IniSections {
  const merged = new Map<string, Map<string, string | null>>()
  for (const [name, options] of layers.flatMap((layer) => [...layer])) {
    merged.set(name, new Map([...(merged.get(name) ?? []), ...options]))
  }
  return merged
}

/** Chains of references longer than this are loops, as in configparser. */
const MAX_DEPTH = 10
/** References that name each other many times grow without end. */
const MAX_VALUE_LENGTH = 64 * 1024

/** Value of an option with `%(name)s` replaced from its section or `DEFAULT` and `%%` by `%`.
 * @returns undefined when the option is absent. @throws MalformedConfig `config.malformed` for a lone `%`, an unknown name or a loop. */
export function readOption(sections: IniSections, section: string, option: string): string | null | undefined {
  const own = sections.get(section)
  if (own === undefined) return undefined
  const lookUp = (name: string): string | null | undefined =>
    own.has(name) ? own.get(name) : sections.get(DEFAULT_SECTION)?.get(name)
  const refuse = (problem: string): never => {
    throw new MalformedConfig(`[${section}] ${option}: ${problem}.`, { details: { section, option } })
  }
  let length = 0
  const expand = (text: string, depth: number): string => {
    length += text.length
    if (length > MAX_VALUE_LENGTH) refuse(`its value is longer than ${MAX_VALUE_LENGTH} characters`)
    return text.replace(
      /%(%|\(([^)]*)\)s)?/g,
      (found: string, escaped: string | undefined, name: string | undefined) => {
        if (escaped === '%') return '%'
        if (name === undefined) return refuse(`'${found}' must be followed by % or (name)s`)
        const value = lookUp(name)
        if (value === undefined || value === null) return refuse(`'${name}' is no option of this section`)
        return depth < MAX_DEPTH ? expand(value, depth + 1) : refuse(`'${name}' refers to itself`)
      },
    )
  }
  const raw = lookUp(option)
  return typeof raw === 'string' ? expand(raw, 1) : raw
}
