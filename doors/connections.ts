import type { Server, Socket } from 'node:net'

/** Keeps account of a server's connections, those in the middle of a handshake or upgraded to another protocol included.
 * @returns A function that ends them all at once. */
export function trackConnections(server: Server): () => void {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  return () => {
    for (const socket of sockets) socket.destroy()
  }
}
