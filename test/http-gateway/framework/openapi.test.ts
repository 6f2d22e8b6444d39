import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import { describe, expect, test } from 'vitest'
import { violations } from '../../../events/schema.js'
import { endpoints } from '../../../http-gateway/endpoints/index.js'
import { renderOpenApi } from '../../../http-gateway/framework/openapi.js'
import { OpenApiDocument, type OpenApiOperation } from '../../support/open-api-schema.js'

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, OpenApiOperation>>>>
  readonly components: { readonly schemas: Readonly<Record<string, object>>; readonly securitySchemes: object }
}

const document = JSON.parse(renderOpenApi(endpoints)) as Document
const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ id: `${method.toUpperCase()} ${path}`, operation })),
)
const ajv = new Ajv2020({ strict: false, validateFormats: false })
ajv.addSchema({ $id: 'document', components: document.components })

const checks = new Map<string, ValidateFunction>()
/** Most schemas are those of errors, so each is compiled once. */
const checkOf = (schema: string): ValidateFunction => {
  const check = checks.get(schema) ?? ajv.compile(JSON.parse(schema) as object)
  checks.set(schema, check)
  return check
}

/** Every schema with the examples beside it. */
const described = operations.flatMap(({ id, operation: { parameters, requestBody, responses } }) => [
  ...parameters.map(({ name, schema, ...given }) => ({ at: `${id} ${name}`, schema, examples: examplesOf(given) })),
  ...Object.entries(requestBody?.content ?? {}).map(([type, { schema, ...given }]) => ({
    ...{ at: `${id} body`, schema, examples: type === 'application/json' ? examplesOf(given) : null },
  })),
  ...Object.entries(responses).flatMap(([status, { content = {} }]) =>
    Object.entries(content).map(([type, { schema, ...given }]) => ({
      ...{ at: `${id} ${status}`, schema, examples: type === 'application/json' ? examplesOf(given) : null },
    })),
  ),
])

/** All there are. */
function examplesOf({ example, examples }: { example?: unknown; examples?: Record<string, { value: unknown }> }) {
  return [...(example === undefined ? [] : [example]), ...Object.values(examples ?? {}).map(({ value }) => value)]
}

describe('the OpenAPI document', () => {
  test('is one of version 3.1, with a summary for every operation', () => {
    expect(violations(OpenApiDocument, document)).toEqual([])
    expect(operations.length).toBeGreaterThan(60)
    expect(violations(OpenApiDocument, { ...document, webhook: {} })).not.toEqual([])
  })

  test('holds schemas of JSON Schema 2020-12', () => {
    const wrong = [...described, ...Object.entries(document.components.schemas).map(([at, schema]) => ({ at, schema }))]
      .filter(({ schema }) => schema === undefined || ajv.validateSchema(schema) !== true)
      .map(({ at }) => at)
    expect(wrong).toEqual([])
  })

  test('shows an example of all that is JSON, which its schema allows', () => {
    const wrong = described.flatMap(({ at, schema = {}, examples }) => {
      if (examples === null) return []
      if (examples.length === 0) return [`${at}: none`]
      const check = checkOf(JSON.stringify(schema).replaceAll('"#/', '"document#/'))
      return examples.filter((example) => !check(example)).map(() => `${at}: ${ajv.errorsText(check.errors)}`)
    })
    expect(wrong).toEqual([])
  })

  test('tells of every operation how it fails', () => {
    const silent = operations.filter(
      ({ operation }) => !Object.keys(operation.responses).some((status) => status >= '400'),
    )
    expect(silent.map(({ id }) => id)).toEqual([])
  })

  test('refers to nothing that is not in it', () => {
    const text = JSON.stringify(document)
    for (const [, name = ''] of text.matchAll(/"#\/components\/schemas\/(\w+)"/g))
      expect(Object.keys(document.components.schemas)).toContain(name)
    for (const { operation } of operations)
      for (const name of (operation.security ?? []).flatMap((scheme) => Object.keys(scheme)))
        expect(Object.keys(document.components.securitySchemes)).toContain(name)
  })
})
