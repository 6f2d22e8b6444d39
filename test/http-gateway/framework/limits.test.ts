import { once } from 'node:events'
import { request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { HTTP_LIMITS } from '../../../doors/http-server.js'
import { stopJobsCommand } from '../../../events/system/commands.js'
import { eventually } from '../../support/eventually.js'
import { sendFuzzed } from '../../support/http-fuzzer/send.js'
import { startTestGateway, type TestGateway } from '../support/start-test-gateway.js'

let gateway: TestGateway
beforeEach(async () => {
  gateway = await startTestGateway()
})
afterEach(() => gateway.stop())

const MIB = 1024 * 1024
const STOP = '/unit_api/jobs/stop'

/** Connections that end with the test. */
async function open(port: number, count: number): Promise<readonly Socket[]> {
  const sockets = Array.from({ length: count }, () => connect(port, '127.0.0.1').on('error', () => undefined))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
  })
  await Promise.all(sockets.map((socket) => once(socket, 'connect')))
  return sockets
}

describe('ranges beyond the end', () => {
  test.each(['/', '/dashboard.js', '/dashboard.css', '/mqtt.js'])('of %s are 416', async (path) => {
    const beyond = await gateway.get(path, { range: 'bytes=99999999-' })
    expect([beyond.status, beyond.json]).toMatchObject([416, { code: 'request.invalid_range' }])
    expect(beyond.headers.get('content-range')).toMatch(/^bytes \*\/\d+$/)
    expect((await gateway.get(path, { range: 'bytes=0-9' })).status).toBe(206)
  })

  test.each(['/docs', '/openapi.json', '/unit_api/health'])('are not looked at by %s', async (path) => {
    expect((await gateway.get(path, { range: 'bytes=99999999-' })).status).toBe(200)
  })

  test('and conditions that fail are no defects', async () => {
    const answer = await gateway.get('/mqtt.js', { 'if-match': '"another"' })
    expect([answer.status, answer.json]).toMatchObject([412, { code: 'request.precondition_failed' }])
    expect(gateway.lines.filter(({ level }) => level === 'error')).toEqual([])
  })
})

describe('bodies that never end', () => {
  /** Sends the beginning of a body of 10 MiB; resolves when it is taken, or with the answer to it. */
  const unfinished = async (bytes: number): Promise<number | 'waits'> => {
    const sent = request({
      host: '127.0.0.1',
      port: gateway.port,
      method: 'POST',
      path: STOP,
      headers: { 'content-length': 10 * MIB },
    })
    sent.on('error', () => undefined)
    onTestFinished(() => {
      sent.destroy()
    })
    const answer = once(sent, 'response').then(([{ statusCode }]) => statusCode as number)
    const taken = new Promise<'waits'>((resolve) => sent.write(Buffer.alloc(bytes, ' '), () => resolve('waits')))
    return Promise.race([answer, taken.then(() => Promise.race([answer, aRoundTrip()]))])
  }
  const aRoundTrip = async (): Promise<'waits'> => {
    for (let round = 0; round < 20; round++) await gateway.get('/version')
    return 'waits'
  }

  test('hold 64 MiB in sum; others get 503, while small bodies are taken, and large ones again when they are gone', async () => {
    await gateway.serve(stopJobsCommand, () => ({ task_id: 'any' }))
    const outcomes: unknown[] = []
    for (let index = 0; index < 60; index++) outcomes.push(await unfinished(9 * MIB))
    expect(outcomes.filter((outcome) => outcome === 'waits')).toHaveLength(7)
    expect(outcomes.filter((outcome) => outcome === 503)).toHaveLength(53)
    const large = { job_name: 'x', padding: 'x'.repeat(2 * MIB) }
    const refused = await gateway.send('POST', STOP, large)
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1'])
    expect((await gateway.send('POST', STOP, { job_name: 'x' })).status).toBe(202)
  })

  test('end, and what they held is free again', async () => {
    await gateway.stop()
    gateway = await startTestGateway({}, { ...HTTP_LIMITS, headersMs: 1000, requestMs: 5000 })
    await gateway.serve(stopJobsCommand, () => ({ task_id: 'any' }))
    expect(await Promise.all(Array.from({ length: 7 }, () => unfinished(9 * MIB)))).toEqual(Array(7).fill('waits'))
    await eventually(async () => {
      expect((await gateway.send('POST', STOP, ' '.repeat(9 * MIB))).status).toBe(400)
    })
  })
})

test('answers that nobody reads hold 64 MiB in sum; small ones are served', async () => {
  gateway.readModels.jobSettings = async () => ({ big: 'x'.repeat(7 * MIB) })
  const path = '/unit_api/jobs/settings/job_name/x'
  const sockets = await open(gateway.port, 30)
  for (const socket of sockets) socket.pause().write(`GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`)
  await eventually(async () => expect((await gateway.get(path)).status).toBe(503))
  expect((await gateway.get('/version')).status).toBe(200)
  for (const socket of sockets) socket.destroy()
  await eventually(async () => expect((await gateway.get(path)).status).toBe(200))
})

test('an answer is whole where the request came with a body that nobody needs', async () => {
  gateway.readModels.jobSettings = async () => ({ big: 'x'.repeat(MIB / 4) })
  const target = '/unit_api/jobs/settings/job_name/x'
  const body = Buffer.alloc(MIB - 1, 'x')
  const answer = await sendFuzzed(gateway.port, {
    method: 'GET',
    target,
    headers: ['Host: 127.0.0.1'],
    body,
    length: null,
  })
  expect(answer.body.length).toBeGreaterThan(MIB / 4)
  expect(answer.headers).toContain(`content-length: ${answer.body.length}`)
})

describe('connections', () => {
  const limits = { ...HTTP_LIMITS, headersMs: 1000, requestMs: 2000, idleMs: 2500 }
  const head = 'HTTP/1.1\r\nHost: 127.0.0.1\r\n'

  test.each([
    [1000, 'that say nothing', ''],
    [1000, 'that stop in the middle of their headers', `POST ${STOP} ${head}X-Slow: `],
    [1000, 'that stop in the middle of their body', `POST ${STOP} ${head}Content-Length: 1000\r\n\r\n{`],
    [1000, 'that trickle', `POST ${STOP} ${head}X-Slow: `, 'x'],
    // The system takes megabytes for each before anybody notices.
    [20, 'that do not read their answers', `GET /mqtt.js ${head}\r\n`.repeat(20)],
  ])('%i %s end, and others are served meanwhile', async (count, _what, text, more = '') => {
    await gateway.stop()
    gateway = await startTestGateway({}, limits)
    let came = 0
    gateway.server.on('connection', () => came++)
    const sockets = await open(gateway.port, count)
    for (const socket of sockets) socket.pause().write(text)
    const trickle = setInterval(() => {
      for (const socket of sockets) if (more !== '' && !socket.destroyed) socket.write(more)
    }, 200)
    onTestFinished(() => clearInterval(trickle))
    await eventually(async () => {
      expect((await gateway.get('/version')).status).toBe(200)
      expect([came >= count, await connections(gateway)]).toEqual([true, 1])
    }, 25_000)
  })
})

const connections = ({ server }: TestGateway): Promise<number> =>
  new Promise((resolve, reject) => {
    server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)))
  })

describe('wrong secrets', () => {
  const basic = (password: string) => ({ authorization: `Basic ${Buffer.from(`u:${password}`).toString('base64')}` })

  test('are slowed down for the address, at both APIs together, then 429 with Retry-After; the right one comes through', async () => {
    const locked = await startTestGateway({ boxApiKey: 'k', unitApiPassword: 'p' })
    onTestFinished(locked.stop)
    for (let index = 0; index < 10; index++) expect((await locked.get('/jobs')).status).toBe(401)
    const begun = performance.now()
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, index) =>
        index % 2 === 0
          ? locked.get('/jobs', { 'x-api-key': `${index}` })
          : locked.get('/unit_api/jobs', basic(`${index}`)),
      ),
    )
    const compared = answers.filter(({ status }) => status === 401).length
    const elapsed = performance.now() - begun
    expect(compared).toBeGreaterThanOrEqual(5)
    expect(compared).toBeLessThanOrEqual(6 + elapsed / 1000)
    const refused = answers.filter(({ status }) => status === 429)
    expect(refused).toHaveLength(40 - compared)
    expect(refused.every(({ headers }) => Number(headers.get('retry-after')) > 0)).toBe(true)
    await eventually(async () => {
      expect((await locked.get('/jobs', { 'x-api-key': 'k' })).status).toBe(200)
      expect((await locked.get('/unit_api/health', basic('p'))).status).toBe(200)
    })
  })
})
