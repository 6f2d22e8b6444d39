import { once } from 'node:events'
import { join } from 'node:path'
import { connectTo } from './unix-sockets.js'

/** Where a bench keeps what. */
export const benchPaths = (directory: string) => ({
  i2c: join(directory, 'i2c.sock'),
  gpio: join(directory, 'gpio.sock'),
  control: join(directory, 'control.sock'),
  serial: join(directory, 'serial'),
  usb: join(directory, 'usb'),
  pwm: join(directory, 'class', 'pwm'),
  outputs: join(directory, 'outputs.json'),
  deviceTree: join(directory, 'device-tree'),
  vessel: join(directory, 'vessel.json'),
})

/** Whether a bench serves the directory. */
export async function isBenchAlive(directory: string): Promise<boolean> {
  const socket = await connectTo(benchPaths(directory).control).catch(() => null)
  socket?.destroy()
  return socket !== null
}

/** Tells the bench to end and waits until it has; nothing to do when none is alive. */
export async function shutDownBench(directory: string): Promise<void> {
  const socket = await connectTo(benchPaths(directory).control).catch(() => null)
  if (socket === null) return
  const closed = once(socket, 'close')
  socket.on('error', () => socket.destroy())
  socket.resume()
  socket.write('shutdown\n')
  await closed
}
