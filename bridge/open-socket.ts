import { readFileSync } from 'node:fs'
import { connect, isIP, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { connect as connectTls } from 'node:tls'
import { deadline } from '../primitives/deadline.js'
import type { Peer } from './peer.js'

/** Finding the address, connecting, and the handshake of TLS. */
const OPEN_MS = 10_000

/** Opens a connection to the peer; with TLS once the peer has shown a certificate that is trusted and is its own. Certificates are read
 * anew each time.
 * @throws Error when it cannot be had in 10 s */
export async function openSocket(peer: Peer): Promise<Socket> {
  const socket =
    peer.tls === null ? connect({ host: peer.host, port: peer.port, noDelay: true }) : openTls(peer, peer.tls)
  const opened = new Promise<Socket>((resolve, reject) => {
    socket.once(peer.tls === null ? 'connect' : 'secureConnect', () => resolve(socket))
    socket.on('error', reject)
    socket.once('close', () => reject(new Error('the peer closed the connection')))
  })
  try {
    return await deadline(OPEN_MS, opened, () => {
      throw new Error(`no connection within ${OPEN_MS / 1000} s`)
    })
  } catch (error) {
    opened.catch(() => undefined)
    socket.destroy()
    throw error
  }
}

function openTls({ host, port }: Peer, { ca, cert, key }: NonNullable<Peer['tls']>): Socket {
  return connectTls({
    host,
    port,
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(ca === undefined ? {} : { ca: readFileSync(ca) }),
    ...(cert === undefined ? {} : { cert: readFileSync(cert) }),
    ...(key === undefined ? {} : { key: readFileSync(key) }),
  })
}

/** Whether an address is one of this machine. */
export function isOwnAddress(address: string): boolean {
  const plain = address.replace(/^::ffff:/, '')
  if (plain === '::1' || plain.startsWith('127.')) return true
  return Object.values(networkInterfaces()).some((found) => found?.some((own) => own.address === plain))
}
