import { Type } from '@sinclair/typebox'
import type { Response } from 'express'
import type { Catalogue } from '../../events/catalogue.js'
import type { JobCapability } from '../../events/core/capability.js'
import { asyncApi } from '../async-api/document.js'
import { docsPage } from '../framework/docs-page.js'
import { type Endpoint, endpoint, JsonText, SENT } from '../framework/endpoint.js'
import { openApi } from '../framework/openapi.js'

/** Computes a value once per table: it takes milliseconds, and the table never changes. */
function perTable<T>(compute: (table: readonly Endpoint[]) => T): (table: readonly Endpoint[]) => T {
  const known = new WeakMap<readonly Endpoint[], T>()
  return (table) => {
    const value = known.get(table) ?? compute(table)
    known.set(table, value)
    return value
  }
}

const jsonOf = (value: Record<string, unknown>): JsonText<Record<string, unknown>> =>
  new JsonText(Buffer.from(JSON.stringify(value)))

const documentOf = perTable((table) => jsonOf({ ...openApi(table) }))
const pageOf = perTable((table) => Buffer.from(docsPage(table)))

/** The topics of these jobs, kept until other ones are announced: it takes some 10 ms. */
const topicsOf = (() => {
  let kept = { key: '', text: jsonOf({}) }
  return (jobs: readonly JobCapability[], catalogue: Catalogue): JsonText<Record<string, unknown>> => {
    const key = JSON.stringify(jobs)
    if (key !== kept.key) kept = { key, text: jsonOf({ ...asyncApi(jobs, catalogue) }) }
    return kept.text
  }
})()

const getOpenApi = endpoint({
  method: 'get',
  path: '/openapi.json',
  summary: 'This API as an OpenAPI 3.1 document.',
  response: Type.Record(Type.String(), Type.Unknown()),
  errors: [],
  needs: 'nothing',
  auth: 'open',
  handle: (_input, { table }) => documentOf(table),
})

const getAsyncApi = endpoint({
  method: 'get',
  path: '/asyncapi.json',
  summary: 'The MQTT topics of this unit, those of its plugins included, as an AsyncAPI 3.0 document.',
  response: Type.Record(Type.String(), Type.Unknown()),
  errors: [],
  needs: 'services',
  auth: 'open',
  handle: async (_input, { readModels, catalogue }) => topicsOf(await readModels.jobCapabilities(), catalogue),
})

const sendPage = (response: Response, html: Buffer): typeof SENT => {
  response.set('content-security-policy', "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'")
  response.type('html').send(html)
  return SENT
}

const getDocs = endpoint({
  method: 'get',
  path: '/docs',
  summary: 'This API as a page to read.',
  response: Type.String(),
  produces: 'text/html',
  errors: [],
  needs: 'nothing',
  auth: 'open',
  handle: ({ response }, { table }) => sendPage(response, pageOf(table)),
})

const getRedoc = endpoint({
  method: 'get',
  path: '/redoc',
  summary: 'Leads to `/docs`.',
  response: Type.String(),
  status: 308,
  produces: 'text/plain',
  errors: [],
  needs: 'nothing',
  auth: 'open',
  handle({ response }) {
    response.redirect(308, '/docs')
    return SENT
  },
})

export const pages: readonly Endpoint[] = [getOpenApi, getAsyncApi, getDocs, getRedoc]
