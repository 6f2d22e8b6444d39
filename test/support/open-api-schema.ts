import { type Static, type TProperties, type TSchema, Type } from '@sinclair/typebox'

/** The objects of an OpenAPI 3.1 document with every field that the specification names, and no other. Source: OpenAPI Specification 3.1.0,
 * §4.8. A JSON Schema is any object here, for it has a metaschema of its own. */
const closed = <P extends TProperties>(fields: P) => Type.Object(fields, { additionalProperties: false })
const optional = <S extends TSchema>(schema: S) => Type.Optional(schema)
const mapOf = <S extends TSchema>(schema: S) => Type.Record(Type.String(), schema)

const Text = Type.String({ minLength: 1 })
const JsonSchema = Type.Record(Type.String(), Type.Unknown())
const Example = closed({ summary: optional(Text), description: optional(Text), value: Type.Unknown() })

const MediaType = closed({
  schema: optional(JsonSchema),
  example: optional(Type.Unknown()),
  examples: optional(mapOf(Example)),
  encoding: optional(mapOf(Type.Unknown())),
})

const Parameter = closed({
  name: Text,
  in: Type.Union([Type.Literal('path'), Type.Literal('query'), Type.Literal('header'), Type.Literal('cookie')]),
  description: optional(Text),
  required: optional(Type.Boolean()),
  deprecated: optional(Type.Boolean()),
  schema: JsonSchema,
  example: optional(Type.Unknown()),
})

const Response = closed({
  description: Text,
  headers: optional(mapOf(Type.Unknown())),
  content: optional(mapOf(MediaType)),
  links: optional(mapOf(Type.Unknown())),
})

const Operation = closed({
  tags: optional(Type.Array(Text)),
  summary: Text,
  description: optional(Text),
  operationId: Type.String({ pattern: '^\\w+$' }),
  parameters: Type.Array(Parameter),
  requestBody: optional(
    closed({ description: optional(Text), content: mapOf(MediaType), required: optional(Type.Boolean()) }),
  ),
  responses: Type.Record(Type.String({ pattern: '^([1-5][0-9][0-9]|default)$' }), Response, {
    additionalProperties: false,
    minProperties: 1,
  }),
  deprecated: optional(Type.Boolean()),
  security: optional(Type.Array(mapOf(Type.Array(Type.String())))),
})
export type OpenApiOperation = Static<typeof Operation>

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch', 'trace'] as const

export const OpenApiDocument = closed({
  openapi: Type.String({ pattern: '^3\\.1\\.\\d+$' }),
  info: closed({
    title: Text,
    summary: optional(Text),
    description: optional(Text),
    termsOfService: optional(Text),
    license: optional(closed({ name: Text, identifier: optional(Text) })),
    version: Text,
  }),
  servers: optional(Type.Array(Type.Unknown())),
  tags: optional(Type.Array(closed({ name: Text, description: optional(Text) }))),
  paths: Type.Record(
    Type.String({ pattern: '^/' }),
    closed(Object.fromEntries(METHODS.map((method) => [method, optional(Operation)]))),
    { additionalProperties: false },
  ),
  components: closed({
    schemas: mapOf(JsonSchema),
    securitySchemes: mapOf(
      Type.Union([
        closed({ type: Type.Literal('http'), scheme: Text, description: optional(Text) }),
        closed({ type: Type.Literal('apiKey'), name: Text, in: Text, description: optional(Text) }),
      ]),
    ),
  }),
})
