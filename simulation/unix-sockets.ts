import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { connect, createServer, type Socket } from 'node:net'
import { createInterface } from 'node:readline'
import { withSocketPath } from '../doors/socket-path.js'
import { NoDevice } from '../services/transport/hardware.js'

/** Listens at a path; a socket file that nobody serves any more is replaced.
 * @returns A function that ends all connections and removes the socket. */
export async function listenAt(path: string, onConnection: (socket: Socket) => void): Promise<() => Promise<void>> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    onConnection(socket)
  })
  await rm(path, { force: true })
  withSocketPath(path, (short) => server.listen(short))
  await once(server, 'listening')
  return async () => {
    const closed = once(server, 'close')
    server.close()
    for (const socket of sockets) socket.destroy()
    await closed
    await rm(path, { force: true })
  }
}

/** @throws NoDevice when nobody serves the path. */
export async function connectTo(path: string): Promise<Socket> {
  const socket = withSocketPath(path, (short) => connect(short))
  try {
    await once(socket, 'connect')
  } catch (cause) {
    throw new NoDevice(`Nothing serves ${path}.`, { cause })
  }
  return socket
}

/** Calls back for every line that arrives. A peer that was killed resets the connection; readline reports that once more than the socket
 * does, and nobody else would listen. */
export function onLine(socket: Socket, listener: (line: string) => void): void {
  createInterface({ input: socket })
    .on('line', listener)
    .on('error', () => socket.destroy())
}
