import { NoDevice, type SerialConnection } from '../services/transport/hardware.js'
import { connectTo } from './unix-sockets.js'

/** A serial connection over the Unix socket of a virtual device. @throws NoDevice */
export async function openSocketSerial(path: string): Promise<SerialConnection> {
  const socket = await connectTo(path)
  let failure: Error | null = null
  socket.on('error', (error) => {
    failure = error
  })
  return {
    get open() {
      return !socket.destroyed
    },
    write: (bytes) =>
      new Promise((resolve, reject) => {
        socket.write(bytes, (error) =>
          error ? reject(new NoDevice(`${path} does not take data.`, { cause: error })) : resolve(),
        )
      }),
    onData: (listener) => void socket.on('data', listener),
    onClose: (listener) => void socket.once('close', () => listener(failure)),
    close: () =>
      new Promise((resolve) => {
        if (socket.closed) return resolve()
        socket.once('close', () => resolve())
        socket.destroy()
      }),
  }
}
