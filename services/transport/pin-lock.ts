import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { deadline } from '../../primitives/deadline.js'
import { PinInUse } from './hardware.js'

/** A holder that hangs does not say who it is. */
const ANSWER_MS = 200

/** Takes a pin for one user of the whole machine; the returned function gives it back. The lock is a socket name that is no file (unix(7), abstract), so the
 * kernel gives it back when its holder dies, whatever of.
 * @param place which outputs: those of the kernel, or those of one bench
 * @throws PinInUse that names the process */
export async function lockPin(place: string, pin: number): Promise<() => Promise<void>> {
  const name = `\0benchlog-pwm-${createHash('sha256').update(place).digest('hex').slice(0, 16)}-${pin}`
  const server = createServer((visitor) => {
    visitor.on('error', () => visitor.destroy())
    visitor.end(String(process.pid))
  })
  server.listen(name)
  server.unref()
  try {
    await once(server, 'listening')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    throw new PinInUse(`GPIO ${pin} is in use by ${await holderOf(name)}.`)
  }
  return async () => {
    const closed = once(server, 'close')
    server.close()
    await closed
  }
}

async function holderOf(name: string): Promise<string> {
  const visitor = connect(name)
  const pid = new Promise<string>((resolve) => {
    visitor.once('data', (text) => resolve(String(text)))
    visitor.once('error', () => resolve(''))
  })
  try {
    const said = await deadline(ANSWER_MS, pid, () => '')
    return said === '' ? 'another process' : said === String(process.pid) ? 'another user' : `process ${said}`
  } finally {
    visitor.destroy()
  }
}
