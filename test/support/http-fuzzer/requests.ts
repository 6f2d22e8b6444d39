import fc, { type Arbitrary } from 'fast-check'
import { type Json, KNOWN_NAMES, likely, nearMiss, oddValue, type Schema } from './values.js'

/** What goes over the wire, in latin1. */
export interface FuzzedRequest {
  readonly method: string
  readonly target: string
  readonly headers: readonly string[]
  readonly body: Buffer
  /** Announced length of the body when it is not that of the body. */
  readonly length: number | null
}

interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query'
  readonly schema: Schema
}

interface Operation {
  readonly parameters: readonly Parameter[]
  readonly responses?: Readonly<Record<string, unknown>>
  readonly requestBody?: { readonly content: { readonly 'application/json': { schema: Schema; example?: Json } } }
}

/** As much of an OpenAPI document as is read here. */
export interface ApiDocument {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
}

const METHODS = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
  'PROPFIND',
  'M-SEARCH',
  'get',
  'X',
]
const ODD_SEGMENTS = [
  ...['%00', '%ff', '%', '%2', '%zz', '%2f', '%252e%252e', '..', '.', '', '%0d%0aX-Injected:%201', '%c0%ae', ';a=b'],
  ...[
    '__proto__',
    'constructor',
    'a'.repeat(5000),
    '%f0%9f%a7%aa',
    '\xff',
    '*',
    ':run_id',
    "'",
    '"',
    '%22',
    '~',
    '%5c',
  ],
]
const ODD_HEADERS = [
  ...['Range: bytes=5-1', 'Range: bytes=99999999999-', 'Range: bytes=0-0,2-3,5-', 'Range: chars=1', 'If-None-Match: *'],
  ...[
    'If-Match: "x"',
    'If-Modified-Since: yesterday',
    'Expect: 100-continue',
    'Expect: nothing',
    'Accept: text/plain;q=2',
  ],
  ...[
    'Content-Encoding: gzip',
    'Content-Type: text/html; charset=utf-7',
    'Content-Type: multipart/form-data; boundary=x',
  ],
  ...[
    'Content-Type: application/x-www-form-urlencoded',
    'Content-Type: \xff',
    'Host: evil.example',
    'Host: a b',
    'Host:',
  ],
  ...['Transfer-Encoding: chunked', 'Transfer-Encoding: gzip, chunked', 'Content-Length: -1', 'Content-Length: 99999'],
  ...[
    'Origin: null',
    'Origin: http://evil.example',
    'Sec-Fetch-Site: cross-site',
    'Cookie: a=b',
    'X-HTTP-Method-Override: DELETE',
  ],
  ...[
    'Authorization: Basic',
    'Authorization: Basic \xff==',
    'X-API-Key: ',
    'Upgrade: h2c',
    'Connection: Upgrade',
    'Via: 1.1 x',
  ],
  ...[
    'X-Forwarded-For: 1.1.1.1',
    'X-Forwarded-Prefix: /x',
    `X-Long: ${'y'.repeat(20_000)}`,
    'Bad Header: x',
    'X-Empty:',
    ': x',
  ],
]
const ODD_BODIES = [
  ...[
    '',
    ' ',
    '{',
    '[',
    'null',
    '{}',
    '[]',
    '"',
    '{"a":1,"a":2}',
    '{"__proto__":{"x":1}}',
    '\xef\xbb\xbf{}',
    '1e999',
    '-',
    'NaN',
  ],
  ...[
    '\xff\xfe{\x00}\x00',
    '{"a":"\\ud800"}',
    '{"job_name":"\\u0000"}',
    '\x1f\x8b\x08\x00',
    "{'a':1}",
    '{"a":1}{"b":2}',
    '﻿',
  ],
].map((text) => Buffer.from(text, 'latin1'))
const BOMBS = [
  ...['['.repeat(100_000), '{"a":'.repeat(100_000), `[${'[],'.repeat(300_000)}[]]`, `"${'x'.repeat(2_000_000)}"`],
  ...[`{"job_name":"${'y'.repeat(900_000)}"}`, `${'['.repeat(60)}${']'.repeat(60)}`],
].map((text) => Buffer.from(text))

/** Requests to every operation of the document, from plausible to absurd.
 * @param names ids that exist, besides those every unit knows. */
export function fuzzedRequests(document: ApiDocument, names: readonly string[]): Arbitrary<FuzzedRequest> {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method: method.toUpperCase(), operation })),
  )
  return fc.constantFrom(...operations).chain(({ path, method, operation }) =>
    fc
      .record({
        method: mostly(fc.constant(method), fc.constantFrom(...METHODS)),
        target: targets(path, operation.parameters, names),
        headers: mostly(fc.constant<string[]>([]), fc.array(fc.constantFrom(...ODD_HEADERS), { maxLength: 3 })),
        body: bodies(path, operation, names),
        length: mostly(fc.constant(null), fc.integer({ min: 0, max: 200 })),
      })
      .map((request) => ({ ...request, length: request.body.length === 0 ? null : request.length })),
  )
}

const mostly = <T>(usual: Arbitrary<T>, rare: Arbitrary<T>): Arbitrary<T> =>
  fc.oneof({ weight: 7, arbitrary: usual }, { weight: 1, arbitrary: rare })

function targets(path: string, parameters: readonly Parameter[], names: readonly string[]): Arbitrary<string> {
  const name = fc.constantFrom(...KNOWN_NAMES, ...names).map(encodeURIComponent)
  const segments = path
    .split('/')
    .map((part) => (part.startsWith('{') ? mostly(name, fc.constantFrom(...ODD_SEGMENTS)) : fc.constant(part)))
  const exact = fc.tuple(...segments).map((parts) => parts.join('/'))
  const odd = fc
    .tuple(exact, fc.constantFrom(...ODD_SEGMENTS), fc.constantFrom('/', '//', '/../', '/./', '?', '#', '\\'))
    .map(([plain, segment, joint]) => plain + joint + segment)
  const elsewhere = fc.constantFrom(
    '*',
    'http://localhost/jobs',
    'http://evil.example/jobs',
    '/mqtt',
    '/dashboard.js',
    '/',
  )
  const query = fc
    .dictionary(
      fc.constantFrom(
        ...parameters.filter((given) => given.in === 'query').map((given) => given.name),
        'x',
        '__proto__',
        'a[b]',
      ),
      fc.oneof(name, fc.constantFrom(...ODD_SEGMENTS)),
      { maxKeys: 3 },
    )
    .map((pairs) =>
      Object.entries(pairs)
        .map(([key, value]) => `${key}=${value}`)
        .join('&'),
    )
  return fc
    .tuple(mostly(exact, fc.oneof(odd, elsewhere)), mostly(fc.constant(''), query))
    .map(([target, text]) => (text === '' ? target : `${target}?${text}`))
}

function bodies(path: string, { requestBody }: Operation, names: readonly string[]): Arbitrary<Buffer> {
  const odd = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...ODD_BODIES) },
    { weight: 2, arbitrary: fc.uint8Array({ maxLength: 100 }).map((bytes) => Buffer.from(bytes)) },
    { weight: 2, arbitrary: oddValue.map(encode) },
    { weight: 1, arbitrary: fc.constantFrom(...BOMBS) },
  )
  const content = requestBody?.content['application/json']
  if (content === undefined) return mostly(fc.constant(Buffer.alloc(0)), odd)
  const { schema, example } = content
  const good = fc.oneof(likely(schema, names), example === undefined ? likely(schema, names) : fc.constant(example))
  return fc.oneof(
    { weight: 3, arbitrary: good.map((value) => encode(harmless(path, value))) },
    { weight: 4, arbitrary: good.chain(nearMiss).map((value) => encode(harmless(path, value))) },
    { weight: 1, arbitrary: odd },
  )
}

const encode = (value: Json): Buffer => Buffer.from(JSON.stringify(value))

/** Nothing outside this machine is ever asked for a share. */
const harmless = (path: string, value: Json): Json =>
  path === '/nas/setup' &&
  typeof value === 'object' &&
  value !== null &&
  'host' in value &&
  typeof value['host'] === 'string'
    ? { ...value, host: '127.0.0.1' }
    : value
