import express, { type Express } from 'express'
import type { GatewayContext, GatewayDeps } from './context.js'
import { dashboard } from './dashboard.js'
import { endpoints } from './endpoints/index.js'
import type { Endpoint } from './framework/endpoint.js'
import { createIdempotencyCache } from './framework/idempotency-cache.js'
import { createMemoryBudget } from './framework/memory-budget.js'
import {
  accessLog,
  answerErrors,
  mergeSlashes,
  noRoute,
  refuseCrossSite,
  refuseOtherHosts,
} from './framework/middleware.js'
import { mount } from './framework/mount.js'
import { createRateLimit } from './framework/rate-limit.js'

/** Starts of one job name are at least this far apart. Source: Pioreactor 26.7. */
const JOB_START_WINDOW_MS = 1000

/** Of all bodies and answers under way. */
const MEMORY_LIMIT_BYTES = 64 * 1024 * 1024

/** What goes on between requests. */
type Follows = Pick<GatewayContext, 'services' | 'pendingTasks'>

/** Both APIs as an Express application that does not listen yet. */
export function createApp(deps: GatewayDeps, follows: Follows, table: readonly Endpoint[] = endpoints): Express {
  const context: GatewayContext = {
    ...deps,
    ...follows,
    table,
    memory: createMemoryBudget(MEMORY_LIMIT_BYTES),
    jobStarts: createRateLimit(deps.clock, JOB_START_WINDOW_MS),
    idempotencyCache: createIdempotencyCache(deps.clock),
  }
  const app = express()
  app.enable('case sensitive routing')
  app.enable('strict routing')
  app.disable('x-powered-by')
  app.disable('etag')
  app.use(accessLog(deps.logger), refuseOtherHosts(deps.isOwnHost), mergeSlashes, refuseCrossSite)
  mount(app, context)
  app.use(dashboard())
  app.use(noRoute(context), answerErrors(deps.logger))
  return app
}
