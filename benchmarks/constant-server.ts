import type { AddressInfo } from 'node:net'
import express from 'express'

/** What a path is answered with. */
export interface Constant {
  readonly path: string
  readonly type: string
  /** The body, base64. */
  readonly body: string
}

/** Express that answers each path with bytes it was told, a process of its own: what the framework reaches without a handler's work. Tells its
 * port to its parent and ends with it. */
const app = express()
app.disable('x-powered-by')
app.disable('etag')
process.on('message', ({ path, type, body }: Constant) => {
  const bytes = Buffer.from(body, 'base64')
  app.get(path, (_request, response) => {
    response.setHeader('content-type', type)
    response.setHeader('content-length', bytes.length)
    response.end(bytes)
  })
  process.send?.({ told: path })
})
const server = app.listen(0, '127.0.0.1', () => process.send?.({ port: (server.address() as AddressInfo).port }))
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'))
