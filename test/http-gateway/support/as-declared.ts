import { expect } from 'vitest'
import { violations } from '../../../events/schema.js'
import { conventionsOf } from '../../../http-gateway/conventions/conventions.js'
import { endpoints } from '../../../http-gateway/endpoints/index.js'
import { type Endpoint, matchesPath, methodsOf } from '../../../http-gateway/framework/endpoint.js'
import { errorsByStatus } from '../../../http-gateway/framework/openapi.js'

const UNIT_KEYS = ['error', 'cause', 'remediation', 'status']
/** Answered before an endpoint is chosen or its body read, whatever the endpoint. */
const ANYWHERE = [400, 403, 404, 405, 413, 421]
/** Of the dashboard. */
const OF_FILES = [412, 416]

const routeOf = (method: string, path: string): Endpoint | undefined =>
  endpoints.find(
    (endpoint) => methodsOf(endpoint).some((name) => name.toUpperCase() === method) && matchesPath(endpoint.path, path),
  )

/** Every answer of every test keeps what the documentation promises: the schema of a success, the shape and status of an error. */
export function expectAsDeclared(method: string, url: string, status: number, json: unknown): void {
  const [path = ''] = url.split('?')
  const endpoint = routeOf(method, path)
  if (json === undefined) return
  if (status < 400) {
    if (endpoint?.produces === undefined && endpoint !== undefined)
      expect(violations(endpoint.response, json)).toEqual([])
    return
  }
  if (conventionsOf(path).name === 'unit') {
    expect(json).toMatchObject({ error: expect.any(String), cause: expect.any(String), status })
    expect(Object.keys(json as object).filter((key) => !UNIT_KEYS.includes(key))).toEqual([])
  } else {
    expect(json).toMatchObject({ code: expect.any(String), message: expect.any(String), hint: expect.any(String) })
  }
  if (endpoint === undefined) expect([...ANYWHERE, ...OF_FILES]).toContain(status)
  else expect([...errorsByStatus(endpoint).keys(), ...ANYWHERE]).toContain(status)
}
