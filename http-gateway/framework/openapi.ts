import type { TSchema } from '@sinclair/typebox'
import { TooManyAttempts } from '../../doors/attempts.js'
import { type ErrorDeclaration, InternalError } from '../../events/core/errors.js'
import { NoAnswer } from '../../events/system/errors.js'
import { ReadModelsNotReady } from '../../projections/read-models.js'
import { InvalidApiKey, InvalidPassword } from '../conventions/authenticate.js'
import { ValidationError } from '../conventions/box/lax-body.js'
import { conventionsOf } from '../conventions/conventions.js'
import { InvalidBody, requiredFields } from '../conventions/unit/strict-body.js'
import { ServicesNotReady } from '../readiness.js'
import { type Endpoint, type Method, methodsOf } from './endpoint.js'
import { RequestTooLarge, statusOf } from './errors.js'
import { exampleOf } from './examples.js'
import { GatewayBusy } from './memory-budget.js'

type Json = Readonly<Record<string, unknown>>

/** The OpenAPI 3.1 document of an endpoint table. */
export function openApi(table: readonly Endpoint[]): Json {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const endpoint of table) {
    const path = documentedPath(endpoint)
    const operations = methodsOf(endpoint).map((method) => [method, operation(endpoint, method)])
    paths[path] = { ...paths[path], ...Object.fromEntries(operations) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Benchlog',
      version: '1.0',
      description: 'The unit API of a bioreactor (`/unit_api`) and the API of its box of potentiostats.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    tags: [
      { name: 'unit', description: 'Bioreactor unit, compatible with Pioreactor 26.7.' },
      { name: 'box', description: 'Box of potentiostats, compatible with the pyBEEP box service 1.0.' },
    ],
    paths,
    components: {
      securitySchemes: {
        unit: { type: 'http', scheme: 'basic', description: 'Any user; asked for when UNIT_API_PASSWORD is set.' },
        box: { type: 'apiKey', in: 'header', name: 'X-API-Key', description: 'Asked for when BOX_API_KEY is set.' },
      },
      schemas: { UnitError, BoxError },
    },
  }
}

/** The document as it is committed in `docs/openapi.json`. */
export const renderOpenApi = (table: readonly Endpoint[]): string => `${JSON.stringify(openApi(table), null, 2)}\n`

/** `/jobs/:run_id` → `/jobs/{run_id}` */
export const documentedPath = ({ path }: Endpoint): string => path.replace(/[:*](\w+)/g, '{$1}')

/** Every status an endpoint may answer with beside its success, with the errors that lead to it. */
export function errorsByStatus(endpoint: Endpoint): ReadonlyMap<number, readonly ErrorDeclaration[]> {
  const errors = [...new Set([...endpoint.errors, ...sharedErrors(endpoint)])]
  const statuses = [...new Set(errors.map(statusOf))].sort((one, other) => one - other)
  return new Map(statuses.map((status) => [status, errors.filter((error) => statusOf(error) === status)]))
}

/** What is refused before a handler sees it, and what can go wrong with any answer. */
function sharedErrors({ path, auth, query, body, needs, errors }: Endpoint): readonly ErrorDeclaration[] {
  const isUnit = conventionsOf(path).name === 'unit'
  return [
    ...(query === undefined ? [] : [ValidationError]),
    ...(body === undefined ? [] : [isUnit ? InvalidBody : ValidationError, RequestTooLarge]),
    ...(auth === 'open' ? [] : [isUnit ? InvalidPassword : InvalidApiKey, TooManyAttempts]),
    ...(needs === 'nothing' ? [] : [ReadModelsNotReady]),
    ...(needs === 'services' || errors.includes(NoAnswer) ? [ServicesNotReady] : []),
    GatewayBusy,
    InternalError,
  ]
}

function operation(endpoint: Endpoint, method: Method): Json {
  const { name } = conventionsOf(endpoint.path)
  const { summary, body, upload, example, auth, status = 200, produces = 'application/json' } = endpoint
  const problems = [...errorsByStatus(endpoint)].map(([code, causes]) => [code, problem(name, code, causes)])
  return {
    operationId: `${method}${endpoint.path.replace(/\W+/g, '_')}`,
    tags: [name],
    summary,
    ...(auth === 'open' ? {} : { security: [{}, { [name]: [] }] }),
    parameters: [...parameters('path', endpoint.params), ...parameters('query', endpoint.query)],
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: {
              'application/json': { schema: requestSchema(body), example: example ?? exampleOf(body) },
            },
          },
        }),
    ...(upload === undefined ? {} : { requestBody: { required: true, content: formContent(upload) } }),
    responses: {
      ...('not' in endpoint.response
        ? {}
        : { [status]: { description: 'Success.', content: { [produces]: success(endpoint) } } }),
      ...Object.fromEntries(problems),
    },
  }
}

/** A form with one file. */
const formContent = ({ field, mediaType }: NonNullable<Endpoint['upload']>): Json => ({
  'multipart/form-data': {
    schema: {
      type: 'object',
      required: [field],
      properties: { [field]: { type: 'string', contentMediaType: mediaType } },
    },
  },
})

/** Bytes have no example; what never succeeds has no success. */
const success = ({ response, produces = 'application/json' }: Endpoint): Json => ({
  schema: response,
  ...(produces === 'application/json' ? { example: exampleOf(response) } : {}),
})

const problem = (api: 'unit' | 'box', status: number, errors: readonly ErrorDeclaration[]): Json => ({
  description: errors.map(({ code, meaning }) => `\`${code}\`: ${meaning}`).join(' '),
  content: {
    'application/json': {
      schema: { $ref: `#/components/schemas/${api === 'unit' ? 'UnitError' : 'BoxError'}` },
      examples: Object.fromEntries(errors.map((error) => [error.code, { value: problemBody(api, status, error) }])),
    },
  },
})

function problemBody(api: 'unit' | 'box', status: number, { code, meaning }: ErrorDeclaration): Json {
  if (api === 'unit') return { error: meaning, cause: meaning, status }
  return { code, message: meaning, hint: '', detail: { code, message: meaning, hint: '' } }
}

function parameters(place: 'path' | 'query', schema: TSchema | undefined): readonly Json[] {
  const required = schema === undefined ? [] : requiredFields(schema)
  return Object.entries<TSchema>(schema?.['properties'] ?? {}).map(([name, field]) => ({
    name,
    in: place,
    required: required.includes(name),
    schema: field,
    example: exampleOf(field, name),
  }))
}

/** A field with a default may be left out of a request, though handlers always find it. */
export function requestSchema(schema: TSchema): Json {
  const { required: _, ...rest } = schema
  const required = requiredFields(schema)
  return { ...rest, ...(required.length === 0 ? {} : { required }) }
}

const text = { type: 'string' }

const UnitError = {
  type: 'object',
  required: ['error', 'cause', 'status'],
  properties: { error: text, cause: text, remediation: text, status: { type: 'integer' } },
  additionalProperties: false,
}

const BoxError = {
  type: 'object',
  required: ['code', 'message', 'hint', 'detail'],
  properties: {
    code: text,
    message: text,
    hint: text,
    detail: {
      description: 'Code, message and hint again, or the list of issues of a malformed request.',
      anyOf: [
        { type: 'object', properties: { code: text, message: text, hint: text } },
        {
          type: 'array',
          items: { type: 'object', properties: { type: text, loc: { type: 'array' }, msg: text, input: {} } },
        },
      ],
    },
    slot: text,
    slots: { type: 'array', items: text },
    errors: { type: 'array' },
  },
}
