// Longer than 300 lines: both conventions side by side, since they are to differ in what is listed only.

import { once } from 'node:events'
import { connect } from 'node:net'
import { Type } from '@sinclair/typebox'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { stopJobsCommand } from '../../../events/system/commands.js'
import { decodeStrictBody, InvalidBody } from '../../../http-gateway/conventions/unit/strict-body.js'
import { matchesPath } from '../../../http-gateway/framework/endpoint.js'
import { startGateway } from '../../../http-gateway/start-gateway.js'
import { until } from '../../support/until.js'
import { rawSocket, startTestGateway, type TestGateway } from '../support/start-test-gateway.js'

let gateway: TestGateway
beforeEach(async () => {
  gateway = await startTestGateway()
})
afterEach(() => gateway.stop())

describe('routing', () => {
  test.each(['/unit_api', '/unit_api/', '/unit_api/nope', '/unit_api/health/', '/unit_api/Health', '/api/units'])(
    '%s is 404 in the unit API form',
    async (path) => {
      const { status, json, headers } = await gateway.get(path)
      expect(status).toBe(404)
      expect(json).toEqual({
        error: expect.any(String),
        cause: expect.any(String),
        remediation: expect.stringContaining(path.startsWith('/api') ? '/unit_api/' : '/docs'),
        status: 404,
      })
      expect(headers.get('content-type')).toBe('application/json')
      expect(headers.get('cache-control')).toBeNull()
    },
  )

  test('an unknown route elsewhere is 404 in the box API form', async () => {
    const { status, json } = await gateway.get('/nope')
    const summary = { code: 'request.not_found', message: expect.any(String), hint: expect.any(String) }
    expect([status, json]).toEqual([404, { ...summary, detail: summary }])
  })

  test.each([
    ['DELETE', '/unit_api/health'],
    ['GET', '/unit_api/jobs/stop'],
    ['PUT', '/unit_api/jobs/run/job_name/stirring'],
  ])('%s %s is 405 without an Allow header', async (method, path) => {
    const { status, json, headers } = await gateway.send(method, path)
    expect([status, json]).toMatchObject([405, { status: 405 }])
    expect(headers.get('allow')).toBeNull()
  })

  test('a GET route answers HEAD with the same headers and OPTIONS with the methods', async () => {
    const head = await gateway.send('HEAD', '/unit_api/health')
    expect([head.status, head.text, head.headers.get('cache-control')]).toEqual([200, '', 'public, max-age=0'])
    const options = await gateway.send('OPTIONS', '/unit_api/jobs/settings/job_name/stirring')
    expect([options.status, options.text, options.headers.get('allow')]).toEqual([200, '', 'GET, PATCH, HEAD, OPTIONS'])
    expect((await gateway.send('OPTIONS', '/unit_api/nope')).status).toBe(404)
  })

  test.each([
    ['/unit_api//health', '/unit_api/health'],
    ['//unit_api///jobs//running?x=1', '/unit_api/jobs/running?x=1'],
  ])('%s redirects to %s', async (path, location) => {
    const { status, headers } = await gateway.raw(path)
    expect([status, headers.get('location')]).toEqual([308, location])
  })

  test('repeated slashes never redirect to another host', async () => {
    expect((await gateway.raw('//evil.example/unit_api/x')).status).toBe(404)
  })

  test('an encoded slash in a parameter names nothing', async () => {
    expect((await gateway.raw('/unit_api/jobs/running/a%2Fb')).status).toBe(404)
    expect((await gateway.raw('/unit_api/task_results/..%2f..%2fetc')).status).toBe(404)
  })

  test('a broken percent encoding is 400 and reveals nothing', async () => {
    const { status, json } = await gateway.raw('/unit_api/task_results/%zz')
    expect([status, json]).toMatchObject([400, { error: 'The path holds an invalid percent encoding.' }])
  })

  test('responses carry a request id and no server fingerprint', async () => {
    const { headers } = await gateway.get('/unit_api/versions/app')
    expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
    expect([headers.get('x-powered-by'), headers.get('etag')]).toEqual([null, null])
    const id = headers.get('x-request-id')
    expect(gateway.lines.filter(({ fields }) => fields['id'] === id)).toEqual([
      {
        level: 'debug',
        message: 'request',
        fields: { id, method: 'GET', path: '/unit_api/versions/app', status: 200 },
      },
    ])
  })

  test('a path pattern fits exactly the paths made from it', () => {
    const segment = fc.stringMatching(/^[a-z0-9%._-]{1,8}$/)
    fc.assert(
      fc.property(segment, segment, (one, other) => {
        expect(matchesPath('/a/:x/b/:y', `/a/${one}/b/${other}`)).toBe(true)
        expect(matchesPath('/a/:x/b/:y', `/a/${one}/b/${other}/`)).toBe(false)
        expect(matchesPath('/a/:x/b/:y', `/a//b/${other}`)).toBe(false)
        expect(matchesPath('/a/*rest', `/a/${one}/${other}`)).toBe(true)
      }),
    )
  })
})

describe('unit API bodies', () => {
  const stop = '/unit_api/jobs/stop'

  test.each([
    ['', 'Input data was truncated'],
    ['{', 'Input data was truncated'],
    ['{"job_name": "stir', 'Input data was truncated'],
    ["{'a': 1}", /^JSON is malformed: .* \(byte 1\)$/],
    ['{"a": NaN}', /^JSON is malformed: /],
    ['{} x', /^JSON is malformed: .* \(byte 3\)$/],
    ['[]', 'Expected `object`, got `array`'],
    ['null', 'Expected `object`, got `null`'],
    ['5', 'Expected `object`, got `int`'],
    ['"x"', 'Expected `object`, got `str`'],
    ['{"job_name": 5}', 'Expected `str | null`, got `int` - at `$.job_name`'],
    ['{"job_id": 1.5}', 'Expected `int | str | null`, got `float` - at `$.job_id`'],
    ['{"job_id": "x"}', 'Expected `int | null`, got `str` - at `$.job_id`'],
    ['{"z": 1}', 'Object contains unknown field `z`'],
  ])('%s is refused with the cause %s', async (body, cause) => {
    const { status, json } = await gateway.send('POST', stop, body)
    expect([status, json]).toEqual([
      400,
      {
        error: 'Invalid request body.',
        cause: typeof cause === 'string' ? cause : expect.stringMatching(cause),
        remediation: expect.any(String),
        status: 400,
      },
    ])
  })

  test('name the index of a list and the required fields', async () => {
    const run = await gateway.send('POST', '/unit_api/jobs/run/job_name/x', { args: [1], env: {} })
    expect(run.json).toMatchObject({ cause: 'Expected `str`, got `int` - at `$.args[0]`' })
    const update = await gateway.send('PATCH', '/unit_api/jobs/settings/job_name/x', {})
    expect(update.json).toEqual({
      error: 'Invalid request body.',
      cause: 'Object missing required field `settings`',
      remediation: 'Send a JSON object with the required fields: settings.',
      status: 400,
    })
  })

  test.each(['application/json', 'text/plain', 'application/octet-stream', 'multipart/form-data'])(
    'are read as JSON when called %s',
    async (type) => {
      await gateway.serve(stopJobsCommand, () => ({ task_id: 'any' }))
      const { status } = await gateway.send('POST', stop, { job_name: 'x' }, { 'content-type': type })
      expect(status).toBe(202)
    },
  )

  test('that are forms count as empty', async () => {
    const { json } = await gateway.send('POST', stop, '{"job_name":"x"}', {
      'content-type': 'application/x-www-form-urlencoded',
    })
    expect(json).toMatchObject({
      cause: 'Input data was truncated',
      remediation: 'Send a JSON object, and the header Content-Type: application/json.',
    })
  })

  test('that would exhaust the stack are refused', async () => {
    const { json } = await gateway.send('POST', stop, `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`)
    expect(json).toMatchObject({ status: 400, cause: 'JSON is malformed: nested too deeply' })
  })

  test("that end while a file is on its way are nobody's fault either", async () => {
    connect(gateway.port, '127.0.0.1').end('GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n{')
    await until(() => gateway.lines.some(({ message }) => message === 'request'), 'the end of the request')
    await gateway.get('/version')
    expect(gateway.lines.filter(({ level }) => level === 'error')).toEqual([])
  })

  test("that end before their end are nobody's fault here", async () => {
    const socket = connect(gateway.port, '127.0.0.1')
    socket.write('POST /jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100\r\n\r\n{', () => socket.destroy())
    await until(() => gateway.lines.some(({ message }) => message.startsWith('client went away')), 'the note')
    expect(gateway.lines.filter(({ level }) => level === 'error')).toEqual([])
  })

  test.each([
    [10, stop],
    [1, '/modes/PSTEP/validate'],
  ])('above %i MiB are 413 at %s', async (mebibytes, path) => {
    const { status } = await gateway.send('POST', path, ' '.repeat(mebibytes * 1024 * 1024 + 1))
    expect(status).toBe(413)
  })

  test('every JSON value either decodes to what it says or is refused, nothing else', () => {
    const schema = Type.Object({ n: Type.Integer(), list: Type.Array(Type.String(), { default: [] }) })
    fc.assert(
      fc.property(
        fc.oneof(
          fc.json(),
          fc.string(),
          fc.record({ n: fc.integer(), other: fc.anything() }).map((v) => JSON.stringify(v)),
        ),
        (text) => {
          try {
            const value = decodeStrictBody(schema, Buffer.from(text))
            expect(value).toEqual({ n: JSON.parse(text).n, list: JSON.parse(text).list ?? [] })
          } catch (error) {
            expect(error).toBeInstanceOf(InvalidBody)
          }
        },
      ),
    )
  })
})

describe('defects', () => {
  test('are 500 without their message, which is logged under the request id', async () => {
    gateway.readModels.allJobs = async () => {
      throw new Error('secret detail')
    }
    const { status, json, headers, text } = await gateway.get('/unit_api/jobs')
    expect(status).toBe(500)
    expect(json).toEqual({ error: expect.any(String), cause: expect.any(String), status: 500 })
    expect(text).not.toContain('secret')
    expect(gateway.lines).toContainEqual({
      level: 'error',
      message: 'request failed',
      fields: { id: headers.get('x-request-id'), path: '/unit_api/jobs', err: new Error('secret detail') },
    })
  })
})

describe('secrets', () => {
  const basic = (text: string) => ({ authorization: `Basic ${Buffer.from(text).toString('base64')}` })

  test('the unit API asks for the password before it looks at the body', async () => {
    const locked = await startTestGateway({ unitApiPassword: 'pa:ss' })
    try {
      for (const headers of [{}, basic('any:wrong'), basic('pa:ss:'), { authorization: 'Bearer pa:ss' }]) {
        const answer = await locked.send('POST', '/unit_api/jobs/stop', '{', headers)
        expect(answer).toMatchObject({ status: 401, json: { status: 401 } })
        expect(answer.headers.get('www-authenticate')).toMatch(/^Basic /)
      }
      expect((await locked.get('/unit_api/health', basic('any:pa:ss'))).status).toBe(200)
      expect((await locked.send('POST', '/unit_api/jobs/stop', '{', basic('any:pa:ss'))).status).toBe(400)
    } finally {
      await locked.stop()
    }
  })

  test.each([
    [{ 'sec-fetch-site': 'cross-site' }, 403],
    [{ 'sec-fetch-site': 'same-site', origin: 'http://localhost:3000' }, 403],
    [{ 'sec-fetch-site': 'none' }, 202],
    [{ origin: 'http://evil.example' }, 403],
    [{ origin: 'null' }, 403],
    [{ origin: 'http://127.0.0.1:3000' }, 403],
    [{ 'sec-fetch-site': 'same-origin', origin: 'http://anything' }, 202],
  ])('a browser that posts with %o gets %i', async (headers, expected) => {
    await gateway.serve(stopJobsCommand, () => ({ task_id: 'any' }))
    expect((await gateway.send('POST', '/unit_api/jobs/stop/all', undefined, headers)).status).toBe(expected)
  })
})

describe('requests to a name that is not of this unit', () => {
  const rebound = { host: 'evil.example', origin: 'http://evil.example', 'sec-fetch-site': 'same-origin' }

  test.each([
    '/unit_api/health',
    '/unit_api/nope',
    '/jobs',
    '/version',
    '/docs',
    '/openapi.json',
    '/',
    '/dashboard.js',
    '/mqtt.js',
  ])('are 421 at %s and name the setting', async (path) => {
    const { status, json, text } = await gateway.raw(path, rebound)
    const api = path.startsWith('/unit_api')
      ? { status: 421, error: expect.any(String) }
      : { code: 'request.unknown_host' }
    expect([status, json]).toMatchObject([421, api])
    expect(text).toContain('ALLOWED_HOSTS')
  })

  test('change nothing', async () => {
    const orders = await gateway.serve(stopJobsCommand, () => ({ task_id: 'any' }))
    const body =
      'POST /unit_api/jobs/stop/all HTTP/1.1\r\nHost: evil.example\r\nOrigin: http://evil.example\r\nConnection: close\r\n\r\n'
    expect(await rawSocket(gateway.port, body)).toMatch(/^HTTP\/1.1 421 /)
    expect(orders).toEqual([])
  })

  test('are served under the other names of the unit, and without a name to a program of HTTP/1.0', async () => {
    expect((await gateway.raw('/unit_api/health', { host: 'U1.Local.:9' })).status).toBe(200)
    expect(await rawSocket(gateway.port, 'GET /version HTTP/1.0\r\n\r\n')).toMatch(/^HTTP\/1.1 200 /)
  })
})

describe('the server', () => {
  test('hands WebSocket upgrades on /mqtt over and refuses others', async () => {
    const { stop, port } = await startGateway({
      deps: gateway.deps,
      host: '127.0.0.1',
      port: 0,
      onUpgrade: (_request, socket) => socket.end('HTTP/1.1 101 Taken\r\n\r\n'),
    })
    try {
      const upgrade = (path: string) =>
        rawSocket(port, `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n`)
      expect(await upgrade('/mqtt')).toContain('101 Taken')
      expect(await upgrade('/other')).toContain('404 Not Found')
    } finally {
      await stop()
    }
  })

  test('stops although clients keep their connections open', async () => {
    const own = await startTestGateway()
    const socket = connect(own.port, '127.0.0.1')
    await once(socket, 'connect')
    const closed = once(socket, 'close')
    await own.stop()
    await closed
    await expect(fetch(own.base)).rejects.toThrow()
  })
})
