import type { IncomingMessage } from 'node:http'

/** Whether a host name, as `hostName` spells it, is one of this unit's. */
export type IsOwnHost = (name: string) => boolean

/** What a unit is called. */
export interface UnitNames {
  readonly unit: string
  /** Host name of the machine, with or without its domain. */
  readonly machine: string
  /** Name or address it listens on. */
  readonly listens: string
  /** Further names and addresses. */
  readonly allowed: readonly string[]
}

/** The name in a `Host` header or in an origin, without port: in small letters, without a trailing dot, addresses in their usual
 * spelling; null when it is none. */
export function hostName(text: string): string | null {
  // A URL would take these for the beginning of something else.
  if (/[/?#@\\\s]/.test(text) || !URL.canParse(`http://${text}`)) return null
  return new URL(`http://${text}`).hostname.replace(/\.$/, '')
}

const isLoopback = (name: string): boolean => name === 'localhost' || name === '[::1]' || /^127(\.\d+){3}$/.test(name)

/** An address or a name as it stands in a URL. */
const inUrl = (text: string): string | null =>
  hostName(text.includes(':') && !text.startsWith('[') ? `[${text}]` : text)

/** Names under which a network may know a unit. */
export function namesOf({ unit, machine }: Pick<UnitNames, 'unit' | 'machine'>): readonly string[] {
  const [label = ''] = machine.split('.')
  return [...new Set([unit, `${unit}.local`, machine, label, `${label}.local`])]
}

/** Only these hosts reach the unit. A page of another site can make its own name lead here and is then, for the browser, the site it
 * talks to (DNS rebinding); it cannot choose the name the browser sends.
 * @param addresses of this machine's interfaces, as they are now. */
export function ownHosts(
  { unit, machine, listens, allowed }: UnitNames,
  addresses: () => readonly string[],
): IsOwnHost {
  const names = new Set([...namesOf({ unit, machine }), listens, ...allowed].map(inUrl))
  return (name) => names.has(name) || isLoopback(name) || addresses().some((address) => inUrl(address) === name)
}

/** Whether a request is meant for this unit: every host it names, in `Host` or in its target, is one of the unit's. A program of
 * HTTP/1.0 may name none. */
export function isForUs(
  { url = '', headersDistinct: { host = [] } }: Pick<IncomingMessage, 'url' | 'headersDistinct'>,
  isOwnHost: IsOwnHost,
): boolean {
  const target = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)/i.exec(url)?.[1]
  const names = [...host, ...(target === undefined ? [] : [target])].map(hostName)
  return host.length <= 1 && names.every((name) => name !== null && isOwnHost(name))
}

/** Whether a page of another site made the browser send this; another port of the same machine is another site. Programs send neither
 * header, and pages cannot change them.
 * @param encrypted Whether it came by TLS; if not, a proxy may have taken the encryption off. */
export function isForeignPage(
  { origin, host = '', 'sec-fetch-site': site }: IncomingMessage['headers'],
  encrypted: boolean,
): boolean {
  if (site !== undefined) return site !== 'same-origin' && site !== 'none'
  if (origin === undefined || origin === '') return false
  const schemes = encrypted ? ['https'] : ['http', 'https']
  return !schemes.some((scheme) => originOf(origin) === originOf(`${scheme}://${host}`))
}

const originOf = (url: string): string | null => (URL.canParse(url) ? new URL(url).origin : null)

/** Whether a setting names a host or an address, and no port. */
export const isHost = (text: string): boolean => inUrl(text) !== null && /^[^:]*$|:.*:/.test(text)
