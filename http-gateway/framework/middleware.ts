import { randomUUID } from 'node:crypto'
import { TLSSocket } from 'node:tls'
import type { ErrorRequestHandler, RequestHandler } from 'express'
import { type IsOwnHost, isForeignPage, isForUs } from '../../doors/hosts.js'
import { type DeclaredError, defineError } from '../../events/core/errors.js'
import type { Logger } from '../../events/ports.js'
import { LogUnavailable, NoAnswer, ServicesSuspended } from '../../events/system/errors.js'
import { ReadModelsNotReady } from '../../projections/read-models.js'
import type { GatewayContext } from '../context.js'
import { InvalidPassword } from '../conventions/authenticate.js'
import { conventionsOf } from '../conventions/conventions.js'
import { ProjectionsBehind, ServicesNotReady } from '../readiness.js'
import { matchesPath, methodsOf } from './endpoint.js'
import { RequestTooLarge, statusOf, toLabError, withStatus } from './errors.js'
import { GatewayBusy } from './memory-budget.js'
import { notFound, sendJson } from './mount.js'

const UnknownHost = withStatus(
  421,
  defineError(
    'request.unknown_host',
    'input',
    'The request names a host that is none of this unit; `ALLOWED_HOSTS` lists further names.',
  ),
)
const CrossSite = withStatus(
  403,
  defineError(
    'request.cross_site',
    'input',
    'A web page of another site tried to change something through the browser.',
  ),
)
const MethodNotAllowed = withStatus(
  405,
  defineError('request.method_not_allowed', 'input', 'The path exists, but not with this method.'),
)

/** Gives every request an id, in the answer too, and logs it when it is over. */
export const accessLog =
  (logger: Logger): RequestHandler =>
  (request, response, next) => {
    const id = randomUUID()
    const { method, path } = request
    response.locals['requestId'] = id
    response.setHeader('x-request-id', id)
    response.on('close', () => logger.debug({ id, method, path, status: response.statusCode }, 'request'))
    next()
  }

export const refuseOtherHosts =
  (isOwnHost: IsOwnHost): RequestHandler =>
  (request, _response, next) => {
    if (isForUs(request, isOwnHost)) return next()
    throw new UnknownHost('The request names a host that is none of this unit.', {
      remediation: 'Use a name or address of the unit, or add this one to the setting ALLOWED_HOSTS.',
    })
  }

/** A page of another site can make a browser post here without asking, since bodies are read whatever their content type. */
export const refuseCrossSite: RequestHandler = (request, _response, next) => {
  const reads = ['GET', 'HEAD', 'OPTIONS'].includes(request.method)
  if (reads || !isForeignPage(request.headers, request.socket instanceof TLSSocket)) return next()
  throw new CrossSite('Requests from pages of another site are refused.')
}

/** The unit API answers repeated slashes with a redirect to the same path without them. */
export const mergeSlashes: RequestHandler = (request, response, next) => {
  const merged = request.path.replace(/\/{2,}/g, '/')
  if (merged === request.path || !merged.startsWith('/unit_api/')) return next()
  response.setHeader('location', merged + (/\?.*$/s.exec(request.originalUrl)?.[0] ?? ''))
  response.status(308).end()
}

/** After all routes: 405 where the path exists with another method, 200 with `Allow` for OPTIONS, otherwise 404. */
export const noRoute =
  ({ table }: GatewayContext): RequestHandler =>
  (request, response) => {
    const methods = table.filter(({ path }) => matchesPath(path, request.path)).flatMap(methodsOf)
    if (methods.length === 0) throw notFound(request.path)
    if (request.method !== 'OPTIONS') {
      throw new MethodNotAllowed('This URL does not allow the method.')
    }
    const allowed = new Set(methods.map((method) => method.toUpperCase()))
    if (allowed.has('GET')) allowed.add('HEAD')
    response.setHeader('allow', [...allowed.add('OPTIONS')].join(', '))
    response.status(200).end()
  }

/** Errors that the next attempt may not meet. */
const PASSING: readonly DeclaredError[] = [
  LogUnavailable,
  NoAnswer,
  ProjectionsBehind,
  ReadModelsNotReady,
  ServicesNotReady,
  ServicesSuspended,
]

/** Errors that leave a part of the body unread. */
const UNREAD: readonly DeclaredError[] = [RequestTooLarge, GatewayBusy]

/** Writes any error in the body of the API that was addressed. What is ours to mend is logged and hidden. */
export const answerErrors =
  (logger: Logger): ErrorRequestHandler =>
  (thrown, request, response, _next) => {
    const gone = request.errored ?? request.socket.errored
    if (gone !== null) {
      logger.debug({ path: request.path, err: gone }, 'client went away in the middle of its request')
      return
    }
    const error = toLabError(thrown)
    if (error.family === 'defect') {
      logger.error({ id: response.locals['requestId'], path: request.path, err: error.cause }, 'request failed')
    }
    if (response.headersSent) {
      response.destroy()
      return
    }
    if (error instanceof InvalidPassword) response.setHeader('www-authenticate', 'Basic realm="unit"')
    const { retry_after_s: retryAfter = PASSING.some((Passing) => error instanceof Passing) ? 1 : undefined } =
      error.details
    if (typeof retryAfter === 'number') response.setHeader('retry-after', retryAfter)
    // What is still to come of the body is not waited for.
    if (UNREAD.some((Unread) => error instanceof Unread)) response.setHeader('connection', 'close')
    sendJson(response, statusOf(error), conventionsOf(request.path).errorBody(error))
  }
