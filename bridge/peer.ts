import { defineError } from '../events/core/errors.js'

/** Another broker, and how it is reached. */
export interface Peer {
  readonly host: string
  readonly port: number
  /** Null: in the clear. Paths of PEM files; without `ca` the authorities that Node knows. */
  readonly tls: { readonly ca?: string; readonly cert?: string; readonly key?: string } | null
  readonly username?: string
  readonly password?: string
}

const InvalidPeer = defineError('bridge.invalid_peer', 'input', 'The address of the peer of the bridge is wrong.')

const PORTS: Readonly<Record<string, number>> = { 'mqtt:': 1883, 'mqtts:': 8883 }

/** How a peer is called in logs, events and file names: without user and password. */
export const peerName = ({ host, port }: Peer): string => `${host.includes(':') ? `[${host}]` : host}:${port}`

/** Reads `mqtt[s]://[user[:password]@]host[:port]`; user and password may be percent-encoded.
 * @throws InvalidPeer, which does not show the address: it may hold a password.
 * @example
 * ```ts
 * parsePeer('mqtts://me:secret@leader.local') // { host: 'leader.local', port: 8883, tls: {}, username: 'me', password: 'secret' }
 * ``` */
export function parsePeer(address: string): Peer {
  const url = URL.canParse(address) ? new URL(address) : null
  const port = PORTS[url?.protocol ?? '']
  if (url === null || port === undefined || url.hostname === '' || !['', '/'].includes(url.pathname + url.search)) {
    throw new InvalidPeer('MQTT_URL must read mqtt://host, mqtts://host, or mqtt://user:password@host:port.')
  }
  const [username, password] = [url.username, url.password].map(decoded)
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? port : Number(url.port),
    tls: url.protocol === 'mqtts:' ? {} : null,
    ...(username ? { username } : {}),
    ...(password ? { password } : {}),
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
