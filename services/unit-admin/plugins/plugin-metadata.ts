import { Type } from '@sinclair/typebox'
import { PACKAGE_SOURCE, type Plugin } from '../../../events/plugins/plugins.js'
import { checkJson } from '../../../events/schema.js'

/** Longer texts are no descriptions. */
const MAX_TEXT = 500
const MAX_LINE = 2000

/** In Python, and in JavaScript with `export const` before it. */
const ASSIGNMENT =
  /^(?:export )?(?:const )?__plugin_([a-z]+)__(?:: ?\w+)?\s*=\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)')\s*;?\s*(?:#.*|\/\/.*)?$/

/** What a file that is a plugin says of itself, in assignments of texts to `__plugin_name__` and the like at the beginning of a line. It is not run. */
export function pluginOfFile(filename: string, text: string): Plugin {
  const said = new Map<string, string>()
  for (const line of text.split(/\r?\n/)) {
    const found = line.length > MAX_LINE ? null : ASSIGNMENT.exec(line)
    if (found === null) continue
    const [, field = '', double, single] = found
    said.set(field, tidy((double ?? single ?? '').replace(/\\(.)/g, (_, sign: string) => ESCAPED[sign] ?? sign)))
  }
  const name = said.get('name')
  return {
    name: name === undefined || name === '' ? filename.replace(/\.[a-z]+$/, '') : name,
    version: said.get('version') ?? UNKNOWN,
    description: said.get('summary') ?? UNKNOWN,
    // The gateway knows where the file is served.
    homepage: said.get('homepage') ?? null,
    source: `plugins/${filename}`,
    author: said.get('author') ?? UNKNOWN,
  }
}

const UNKNOWN = 'Unknown'
const ESCAPED: Readonly<Record<string, string>> = { n: ' ', t: ' ', r: ' ' }

const tidy = (text: string): string => text.trim().slice(0, MAX_TEXT)

const Manifest = Type.Object({
  name: Type.String({ maxLength: MAX_TEXT }),
  version: Type.String({ maxLength: MAX_TEXT }),
  description: Type.Optional(Type.Unknown()),
  homepage: Type.Optional(Type.Unknown()),
  author: Type.Optional(Type.Unknown()),
  keywords: Type.Optional(Type.Unknown()),
})

/** What makes a package a plugin of Benchlog. */
const KEYWORD = 'benchlog-plugin'

export interface PluginManifest {
  readonly plugin: Plugin
  /** Whether it says that it is a plugin. */
  readonly isPlugin: boolean
}

/** @param text its package.json @throws InvalidInput naming the field that cannot be read */
export function pluginOfPackage(text: string): PluginManifest {
  const { name, version, description, homepage, author, keywords } = checkJson(Manifest, text, 'package.json')
  const plugin = {
    ...{ name, version, description: textOrNull(description), homepage: textOrNull(homepage) },
    ...{ source: PACKAGE_SOURCE, author: textOrNull(nameOf(author)) },
  }
  return { plugin, isPlugin: Array.isArray(keywords) && keywords.includes(KEYWORD) }
}

const textOrNull = (value: unknown): string | null => (typeof value === 'string' ? tidy(value) : null)

/** npm has it as a text or as an object. */
const nameOf = (author: unknown): unknown =>
  typeof author === 'object' && author !== null && 'name' in author ? author.name : author
