import { readFile } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { type Hardware, type I2cBus, NoDevice } from '../services/transport/hardware.js'
import { readBoardIdentity } from '../services/transport/hat-identity.js'
import { createSysfsPwm } from '../services/transport/sysfs-pwm.js'
import { benchPaths } from './bench-directory.js'
import { listBenchPorts } from './bench-ports.js'
import { createAnswerFrames, encodeRequest, type I2cRequest } from './i2c-frames.codec.js'
import { createSocketGpio } from './socket-gpio.js'
import { openSocketSerial } from './socket-serial.js'
import { connectTo } from './unix-sockets.js'

/** The hardware of a simulated bench, served in another process. A bench that comes back is used again.
 * @throws NoDevice when no bench serves the directory. */
export async function connectBench(directory: string): Promise<Hardware> {
  const paths = benchPaths(directory)
  const i2c = createSocketI2c(paths.i2c)
  await i2c.connect()
  const model = JSON.parse(await readFile(paths.vessel, 'utf8')) as NonNullable<Hardware['model']>
  return {
    ...(await readBoardIdentity(paths.deviceTree)),
    model,
    i2c,
    pwm: createSysfsPwm(paths.pwm),
    gpio: createSocketGpio(paths.gpio),
    serial: {
      list: () => listBenchPorts(directory),
      open: openSocketSerial,
    },
    close: i2c.close,
  }
}

type Answered = (data: Uint8Array | null) => void

function createSocketI2c(path: string): I2cBus & { connect(): Promise<unknown>; close(): Promise<void> } {
  let connection: Promise<{ socket: Socket; waiting: { answer: Answered; fail: (error: Error) => void }[] }> | undefined

  const connect = () => {
    connection ??= (async () => {
      const socket = await connectTo(path)
      const waiting: { answer: Answered; fail: (error: Error) => void }[] = []
      const frames = createAnswerFrames()
      socket.on('data', (chunk) => {
        for (const data of frames.push(chunk)) waiting.shift()?.answer(data)
      })
      socket.on('error', () => socket.destroy())
      socket.on('close', () => {
        connection = undefined
        for (const { fail } of waiting) fail(new NoDevice('The simulated bench has ended.'))
      })
      return { socket, waiting }
    })()
    connection.catch(() => {
      connection = undefined
    })
    return connection
  }

  const transact = async (request: I2cRequest): Promise<Uint8Array | null> => {
    const { socket, waiting } = await connect()
    return new Promise((answer, fail) => {
      if (socket.destroyed) return fail(new NoDevice('The simulated bench has ended.'))
      waiting.push({ answer, fail })
      socket.write(encodeRequest(request))
    })
  }

  const acknowledged = async (request: I2cRequest): Promise<Uint8Array> => {
    const data = await transact(request)
    if (data === null) throw new NoDevice(`Nothing answers at I2C address 0x${request.address.toString(16)}.`)
    return data
  }

  return {
    connect,
    writeRead: (address, bytes, readLength) => acknowledged({ address, bytes, readLength }),
    write: async (address, bytes) => void (await acknowledged({ address, bytes, readLength: 0 })),
    isPresent: async (address) => (await transact({ address, bytes: new Uint8Array(), readLength: 0 })) !== null,
    close: async () => {
      const open = await connection?.catch(() => undefined)
      open?.socket.destroy()
    },
  }
}
