import { connect } from 'node:net'

/** An answer that takes longer is none, ms of the machine. */
const LIMIT_MS = 5000

/** Whether the web server of the unit answers. Of one with TLS no more is asked than a connection: it may want a certificate that nobody here has.
 * @param url without a path */
export const webServerAnswers = (url: string): Promise<boolean> =>
  url.startsWith('https:') ? acceptsConnections(new URL(url)) : isHealthy(url)

async function isHealthy(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/unit_api/health`, { signal: AbortSignal.timeout(LIMIT_MS) })
    await response.body?.cancel()
    return response.ok
  } catch {
    return false
  }
}

function acceptsConnections({ hostname, port }: URL): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port || 443), timeout: LIMIT_MS })
    const end = (answers: boolean): void => {
      socket.destroy()
      resolve(answers)
    }
    socket.once('connect', () => end(true))
    socket.once('timeout', () => end(false))
    socket.once('error', () => end(false))
  })
}
