import { InvalidPluginName, InvalidPluginSource } from './errors.js'

/** A single file that can be a plugin: its name, which is no path and no option. */
export const PLUGIN_FILE = /^[A-Za-z0-9_][A-Za-z0-9_. -]{0,199}\.(?:py|js|mjs)$/

/** As npm allows names of packages, and upper case, which Pioreactor does. */
const NAME = /^(?:@[a-z0-9][a-z0-9._~-]*\/)?[A-Za-z0-9][A-Za-z0-9._~-]*$/
/** A version or a tag; ranges are none. */
const VERSION = /^[A-Za-z0-9][A-Za-z0-9.+_-]*$/
const MAX_NAME = 150
const MAX_SOURCE = 1000

// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what it looks for
const CONTROL = /[\u0000-\u001f\u007f]/

export interface PluginName {
  readonly name: string
  /** Null for the latest. */
  readonly version: string | null
}

/** Where a plugin comes from. `python`: a package that can only be refused. */
export type PluginOrigin =
  | { readonly kind: 'registry' }
  | { readonly kind: 'address'; readonly url: string }
  | { readonly kind: 'archive' | 'directory' | 'python'; readonly path: string }
  | { readonly kind: 'file'; readonly path: string; readonly suffix: string }

/** @throws InvalidPluginName */
export function parsePluginName(text: string): PluginName {
  const at = text.indexOf('@', 1)
  const [name, version] = at === -1 ? [text, null] : [text.slice(0, at), text.slice(at + 1)]
  if (name.length > MAX_NAME) throw unusable(`a name has at most ${MAX_NAME} characters`)
  if (!NAME.test(name)) throw unusable('it is not of letters, digits, hyphens, dots and underscores')
  if (version !== null && (version.length > MAX_NAME || !VERSION.test(version))) {
    throw unusable('what follows @ is no version, such as 1.2.3')
  }
  return { name, version }
}

/** Names of the files that a plugin of this name can be. */
export const filesCalled = (name: string): readonly string[] =>
  ['py', 'js', 'mjs'].map((suffix) => `${name}.${suffix}`).filter((filename) => PLUGIN_FILE.test(filename))

/** A name that something installed can have. @throws InvalidPluginName */
export function checkInstalledName(name: string): void {
  if (filesCalled(name).length === 0) parsePluginName(name)
}

const unusable = (reason: string) =>
  new InvalidPluginName(`The name of the plugin cannot be used: ${reason}.`, { details: { field: 'name' } })

/** What an order names as its source. An address with a password is refused before it gets into an event.
 * @throws InvalidPluginSource */
export function parsePluginSource(source: string | null): PluginOrigin {
  if (source === null) return { kind: 'registry' }
  if (source.length > MAX_SOURCE) throw refused(`it has more than ${MAX_SOURCE} characters`)
  if (CONTROL.test(source)) throw refused('it holds a control character')
  if (/^[a-z][a-z0-9+.-]*:/i.test(source)) return parseAddress(source)
  if (!source.startsWith('/')) throw refused('it is neither an absolute path nor an https address')
  const path = source.replace(/\/+$/, '') || '/'
  if (/\.(?:tgz|tar\.gz)$/.test(path)) return { kind: 'archive', path }
  if (/\.(?:whl|egg|zip)$/.test(path)) return { kind: 'python', path }
  const suffix = /\.(?:py|js|mjs)$/.exec(path)?.[0]
  return suffix === undefined ? { kind: 'directory', path } : { kind: 'file', path, suffix }
}

function parseAddress(source: string): PluginOrigin {
  if (!URL.canParse(source)) throw refused('it is no address')
  const { protocol, username, password, search, hash, pathname, href } = new URL(source)
  if (protocol !== 'https:') throw refused('addresses must begin with https:')
  if (username !== '' || password !== '' || search !== '' || hash !== '') {
    throw refused('an address is recorded, so it must have no user name, password, query or fragment')
  }
  if (/\.(?:whl|egg|zip)$/.test(pathname)) return { kind: 'python', path: pathname }
  if (!/\.(?:tgz|tar\.gz)$/.test(pathname)) throw refused('what an address names must be a package, .tgz')
  return { kind: 'address', url: href }
}

const refused = (reason: string) =>
  new InvalidPluginSource(`The source of the plugin cannot be used: ${reason}.`, { details: { field: 'source' } })

export const isPackageName = (name: string): boolean => name.length <= MAX_NAME && NAME.test(name)

/** Names that differ in nothing but case and hyphen or underscore are one, as for Pioreactor. */
export const isSameName = (one: string, other: string): boolean => normalised(one) === normalised(other)

const normalised = (name: string): string => name.toLowerCase().replaceAll('_', '-')
