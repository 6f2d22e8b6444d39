import type { Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { createSerialQueue } from '../primitives/serial-queue.js'
import { type Gpio, NoDevice } from '../services/transport/hardware.js'
import { connectTo, onLine } from './unix-sockets.js'

/** How long to wait before looking for a bench that has gone. */
const RECONNECT_MS = 200

/** GPIO lines of a bench behind its socket: one connection per line in use. A bench that comes back is watched again. */
export function createSocketGpio(path: string): Gpio {
  const watch = async (pin: number, onLevel: (high: boolean, timeS: number) => void): Promise<() => Promise<void>> => {
    const stop = new AbortController()
    const connect = async (): Promise<Socket> => {
      const line = await openLine(path, `watch ${pin}`, (text) => {
        const [level, timeS] = text.split(' ')
        onLevel(level === '1', Number(timeS))
      })
      return line.socket
    }
    let socket = await connect()
    const keepWatching = async (): Promise<void> => {
      while (!stop.signal.aborted) {
        if (!socket.destroyed) await new Promise((resolve) => socket.once('close', resolve))
        if (stop.signal.aborted) return
        await delay(RECONNECT_MS, undefined, { signal: stop.signal }).catch(() => undefined)
        if (!stop.signal.aborted) socket = await connect().catch(() => socket)
      }
    }
    const watching = keepWatching()
    return async () => {
      stop.abort()
      socket.destroy()
      await watching
      socket.destroy()
    }
  }

  return {
    watchFalling: (pin, onEdge) =>
      watch(pin, (high, timeS) => {
        if (!high) onEdge(timeS)
      }),
    watchLevel: watch,
    async openOutput(pin) {
      const serially = createSerialQueue()
      const answers = createAnswers()
      const line = await openLine(path, `drive ${pin}`, answers.push, answers.end)
      return {
        pin,
        set: (high) => serially(() => answers.to(() => line.socket.write(high ? '1\n' : '0\n')).then(() => undefined)),
        close: () =>
          serially(async () => {
            if (line.socket.destroyed) return
            await answers.to(() => line.socket.write('0\n')).catch(() => undefined)
            line.socket.destroy()
          }),
      }
    },
    async consumerOf(pin) {
      const line = await openLine(path, `user ${pin}`)
      line.socket.destroy()
      return line.answer.startsWith('=') ? line.answer.slice(1) : null
    },
  }
}

const gone = (): Error => new NoDevice('The simulated bench has ended.')

/** Sends an order and waits for its answer. @throws NoDevice */
async function openLine(
  path: string,
  order: string,
  onText: (text: string) => void = () => undefined,
  onClose: () => void = () => undefined,
): Promise<{ readonly socket: Socket; readonly answer: string }> {
  const socket = await connectTo(path)
  socket.on('error', () => socket.destroy())
  socket.on('close', onClose)
  const first = new Promise<string>((resolve, reject) => {
    let answered = false
    socket.once('close', () => reject(gone()))
    onLine(socket, (text) => {
      if (answered) return onText(text)
      answered = true
      resolve(text)
    })
  })
  socket.write(`${order}\n`)
  return { answer: await first, socket }
}

/** Matches answers to what was asked, one at a time. */
function createAnswers() {
  let waiting: { readonly resolve: (text: string) => void; readonly reject: (error: Error) => void } | null = null
  let ended = false
  return {
    push: (text: string): void => waiting?.resolve(text),
    end: (): void => {
      ended = true
      waiting?.reject(gone())
    },
    to: (ask: () => void): Promise<string> =>
      new Promise((resolve, reject) => {
        if (ended) return reject(gone())
        waiting = { resolve, reject }
        ask()
      }),
  }
}
