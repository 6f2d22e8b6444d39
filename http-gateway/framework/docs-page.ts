import type { TSchema } from '@sinclair/typebox'
import { conventionsOf } from '../conventions/conventions.js'
import { requiredFields } from '../conventions/unit/strict-body.js'
import { type Endpoint, methodsOf } from './endpoint.js'
import { documentedPath, errorsByStatus, requestSchema } from './openapi.js'

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}
const html = (text: string): string => text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? character)
const code = (text: string): string => `<code>${html(text)}</code>`
/** Text with `code` in backquotes. */
const prose = (text: string): string => html(text).replace(/`([^`]+)`/g, '<code>$1</code>')
const details = (title: string, value: unknown): string =>
  `<details><summary>${title}</summary><pre>${html(JSON.stringify(value, null, 2))}</pre></details>`

/** The API as one page that needs nothing else: no scripts, no fonts, no network. */
export function docsPage(table: readonly Endpoint[]): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Benchlog API</title>
<style>${STYLE}</style>
</head>
<body>
<header>
<h1>Benchlog API</h1>
<p>The same as an OpenAPI 3.1 document: <a href="/openapi.json">/openapi.json</a>. The MQTT topics as an AsyncAPI 3.0
document: <a href="/asyncapi.json">/asyncapi.json</a>.</p>
</header>
<nav>${GROUPS.map(({ name, title }) => contents(title, ofGroup(table, name))).join('')}</nav>
<main>${GROUPS.map(({ name, title, text }) => group(title, text, ofGroup(table, name))).join('')}</main>
</body>
</html>
`
}

const GROUPS = [
  {
    name: 'unit',
    title: 'Unit API',
    text:
      'The bioreactor, below `/unit_api`. When `UNIT_API_PASSWORD` is set, send it by HTTP Basic with any user name. ' +
      'Errors are `{ error, cause, remediation, status }`. What answers 202 is a task: ask for its `result_url_path` until its ' +
      'status is `succeeded` or `failed`.',
  },
  {
    name: 'box',
    title: 'Box API',
    text:
      'The potentiostats. When `BOX_API_KEY` is set, send it in the header `X-API-Key`. Errors are ' +
      '`{ code, message, hint, detail }`; for a malformed request `detail` lists every issue.',
  },
] as const

const ofGroup = (table: readonly Endpoint[], name: string): readonly Endpoint[] =>
  table.filter(({ path }) => conventionsOf(path).name === name)

const anchor = (endpoint: Endpoint): string => `${methodsOf(endpoint)[0]}${endpoint.path.replace(/\W+/g, '-')}`

const heading = (endpoint: Endpoint): string => {
  const methods = methodsOf(endpoint).map((method) => `<b class="${method}">${method.toUpperCase()}</b>`)
  return `${methods.join(' ')} ${code(documentedPath(endpoint))}`
}

const contents = (title: string, endpoints: readonly Endpoint[]): string =>
  `<h2>${title}</h2><ul>${endpoints.map((endpoint) => `<li><a href="#${anchor(endpoint)}">${heading(endpoint)}</a></li>`).join('')}</ul>`

const group = (title: string, text: string, endpoints: readonly Endpoint[]): string =>
  `<section><h2>${title}</h2><p>${prose(text)}</p>${endpoints.map(article).join('')}</section>`

function article(endpoint: Endpoint): string {
  const { body, response, produces, status = 200 } = endpoint
  const errors = [...errorsByStatus(endpoint)].map(
    ([status, causes]) => `<li>${status} ${causes.map((cause) => code(cause.code)).join(', ')}</li>`,
  )
  const answer =
    produces === undefined ? details(`Answer ${status}`, response) : `<p>Answer ${status}: ${code(produces)}</p>`
  return `<article id="${anchor(endpoint)}"><h3>${heading(endpoint)}</h3>
<p>${prose(endpoint.summary)}</p>
${fields('Path', endpoint.params)}${fields('Query', endpoint.query)}
<pre>${html(curl(endpoint))}</pre>
${body === undefined ? '' : details('Body', requestSchema(body))}${answer}
<details><summary>Errors</summary><ul>${errors.join('')}</ul></details></article>`
}

function fields(title: string, schema: TSchema | undefined): string {
  if (schema === undefined) return ''
  const required = requiredFields(schema)
  const rows = Object.entries<TSchema>(schema['properties'] ?? {}).map(
    ([name, field]) => `<li>${code(name)} ${html(typeText(field))}${required.includes(name) ? '' : ', optional'}</li>`,
  )
  return `<p>${title}</p><ul>${rows.join('')}</ul>`
}

function typeText(schema: TSchema): string {
  if (Array.isArray(schema['anyOf'])) return (schema['anyOf'] as TSchema[]).map(typeText).join(' or ')
  return 'const' in schema ? JSON.stringify(schema['const']) : String(schema['type'] ?? 'any')
}

/** A command line to try it with. */
function curl(endpoint: Endpoint): string {
  const [method = 'get'] = methodsOf(endpoint)
  const { name } = conventionsOf(endpoint.path)
  const secret =
    endpoint.auth === 'open' ? '' : name === 'unit' ? ' -u ":$UNIT_API_PASSWORD"' : ' -H "X-API-Key: $BOX_API_KEY"'
  const verb = method === 'get' ? '' : ` -X ${method.toUpperCase()}`
  const data =
    endpoint.example === undefined
      ? ''
      : ` \\\n  -H 'Content-Type: application/json' -d '${JSON.stringify(endpoint.example)}'`
  const query =
    endpoint.query === undefined
      ? ''
      : requiredFields(endpoint.query)
          .map((field) => `?${field}=…`)
          .join('')
  return `curl${verb}${secret} 'http://localhost:8000${documentedPath(endpoint)}${query}'${data}`
}

const STYLE = `
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 0 auto; padding: 1rem; color: #1b2430; background: #fff }
nav ul { columns: 2; list-style: none; padding: 0; font-size: .9rem }
article { border-top: 1px solid #d6dde5; padding: .5rem 0 1rem }
code, pre { font: .9em ui-monospace, monospace } h3 { font-size: 1.05rem }
pre { background: #f2f5f8; padding: .7rem; overflow: auto; border-radius: 4px } summary { cursor: pointer }
code { overflow-wrap: anywhere } pre code { overflow-wrap: normal }
a { color: inherit; text-decoration: none } a:hover { text-decoration: underline }
b { font-size: .75rem; padding: .1rem .4rem; border-radius: 3px; color: #fff; background: #4a5a6a }
.get { background: #1f6f43 } .post { background: #1c5fa8 } .patch { background: #8a5a00 } .delete { background: #a32626 }
@media (max-width: 40rem) { nav ul { columns: 1 } }
@media (prefers-color-scheme: dark) { body { color: #dde5ee; background: #12181f } pre { background: #1c252f } article { border-color: #2c3947 } }
`
