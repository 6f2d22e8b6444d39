import type { Express, Request, Response } from 'express'
import type { LabError } from '../../events/core/errors.js'
import type { GatewayContext } from '../context.js'
import { type Conventions, conventionsOf } from '../conventions/conventions.js'
import { awaitNeeds } from '../readiness.js'
import { type Endpoint, JsonText, methodsOf, Reply, SENT } from './endpoint.js'
import { NotFound } from './errors.js'
import { readBody, skipBody } from './read-body.js'

/** Routes every endpoint of the table: authentication, admission, validation, handler, answer. Errors go to the error handler. */
export function mount(app: Express, context: GatewayContext): void {
  for (const endpoint of context.table) {
    const conventions = conventionsOf(endpoint.path)
    for (const method of methodsOf(endpoint)) {
      app[method](endpoint.path, (request: Request, response: Response) =>
        serve(endpoint, conventions, context, request, response),
      )
    }
  }
}

async function serve(
  endpoint: Endpoint,
  conventions: Conventions,
  context: GatewayContext,
  request: Request,
  response: Response,
): Promise<void> {
  const take = (bytes: number): void => context.memory.take(response, bytes)
  if (endpoint.auth !== 'open') await conventions.authenticate(request, context)
  const params = pathParameters(endpoint, request)
  const admittance = await endpoint.admit?.({ params }, context)
  if (admittance instanceof Reply) {
    await skipBody(request, endpoint.upload?.maxBytes ?? conventions.maxBodyBytes)
    sendJson(response, admittance.status, admittance.body, take)
    return
  }
  const query = endpoint.query === undefined ? {} : conventions.decodeQuery(endpoint.query, request.query)
  const { maxBodyBytes } = conventions
  const isIgnored = (await endpoint.ignoresBody?.(context)) ?? false
  const body =
    endpoint.body === undefined || isIgnored
      ? ((endpoint.upload === undefined ? await skipBody(request, maxBodyBytes) : undefined) ?? {})
      : conventions.decodeBody(endpoint.body, await readBody(request, maxBodyBytes, take), request.get('content-type'))
  await awaitNeeds(context, endpoint.needs ?? 'read models')
  const answer = await endpoint.handle({ params, query, body, request, response }, context)
  if (answer === SENT) return
  if (endpoint.maxAge !== undefined) response.set('cache-control', `public, max-age=${endpoint.maxAge}`)
  const { status, body: value } =
    answer instanceof Reply ? answer : { status: endpoint.status ?? 200, body: answer as unknown }
  sendJson(response, status, value, take)
}

/** A parameter is one path segment, so an encoded slash in it names nothing that exists. */
function pathParameters(endpoint: Endpoint, request: Request): Readonly<Record<string, string>> {
  const textOf = (value: unknown): string => (Array.isArray(value) ? value.join('/') : String(value))
  const values = Object.entries(request.params).map(([name, value]) => [name, textOf(value)] as const)
  if (!endpoint.path.includes('*') && values.some(([, value]) => value.includes('/'))) throw notFound(request.path)
  return Object.fromEntries(values)
}

/** JSON without a charset parameter: clients of the unit API compare the content type literally.
 * @param take counts the bytes until the client has them; throws when it is too much. */
export function sendJson(response: Response, status: number, body: unknown, take?: (bytes: number) => void): void {
  const text = body instanceof JsonText ? body.bytes : Buffer.from(JSON.stringify(body))
  take?.(text.length)
  response.statusCode = status
  response.setHeader('content-type', 'application/json')
  response.setHeader('content-length', text.length)
  response.end(text)
}

/** The path itself is not repeated: it may hold anything. */
export const notFound = (path: string): LabError =>
  new NotFound('No such URL on this server.', {
    remediation: /^\/api(\/|$)/.test(path)
      ? 'This unit is not a leader; did you mean /unit_api/?'
      : 'The endpoints are listed at /docs.',
  })
