import type { TObject, TSchema } from '@sinclair/typebox'
import { JobCapability } from '../events/core/capability.js'
import type { JobDefinition } from '../events/core/define-job.js'
import { datatypeOf } from '../events/core/values.js'
import { catalogue } from '../instruments.js'
import { jobDefinitions } from '../services/bioreactor/index.js'
import { allowedValues, fieldNames } from './render-schema.js'

const yes = (value: boolean | undefined): string => (value === true ? 'yes' : '')

function jobSection({ name, automation, help, settings }: JobDefinition): readonly string[] {
  const rows = Object.entries(settings).map(([setting, { schema, unit, settable, persist, doc, when, valuePath }]) => {
    const type = datatypeOf(schema)
    const scalar = schema['properties'] === undefined && schema['anyOf'] === undefined
    const range = scalar ? allowedValues(schema) : ''
    const path = valuePath === undefined ? '' : `; value at \`${valuePath}\``
    const presence = when === undefined ? '' : ` Present ${when}.`
    return `| \`${setting}\` | ${type}${path} | ${range} | ${unit ?? ''} | ${yes(settable)} | ${yes(persist)} | ${doc}${presence} |`
  })
  return [
    `### ${automation === undefined ? name : `${name}: ${automation}`}`,
    '',
    help,
    '',
    ...(rows.length === 0 ? [] : [...TABLE, ...rows, '']),
  ]
}

const TABLE = [
  '| Setting | Type | Range | Unit | Settable | Kept after the end | Meaning |',
  '|---|---|---|---|---|---|---|',
]

/** Names of the fields of an order, those that may be left out marked. */
function orderFields({ properties, required = [] }: TObject): string {
  const names = Object.keys(properties).map((name) => (required.includes(name) ? name : `${name}?`))
  return names.length === 0 ? '' : `\`{ ${names.join(', ')} }\``
}

const resultFields = (schema: TSchema): string =>
  `\`${fieldNames(schema, String(schema['const'] ?? datatypeOf(schema)))}\``

const fieldsOf = (list: 'start' | 'settings'): string =>
  fieldNames(JobCapability.properties.form.properties[list].items, '')

/** The topic reference, written from the declarations of jobs, events and commands. */
export function renderTopics(): string {
  return [
    '# Topics',
    '',
    'Every event is an MQTT message, recorded in the log before anyone receives it. Retained topics hold the last value; an empty payload clears',
    'one. Commands are never retained. Times are UTC, RFC 3339 with `Z`.',
    '',
    'For programs the same is an AsyncAPI 3.0 document with the schema of every payload: [asyncapi.json](asyncapi.json), or `GET /asyncapi.json` of a',
    'unit, which has the jobs of its plugins too. What is `send` there, clients subscribe to; what is `receive`, they publish.',
    '',
    '## Jobs',
    '',
    'Each setting is published on `pioreactor/<unit>/<experiment>/<job>/<setting>`, retained. A settable one is changed by publishing to the same',
    'topic with `/set` appended, for one unit or for all of them (`$broadcast` as unit): the value as text, or `{"value": …, "id": …}` with an id of',
    'your own. The outcome follows on `…/set/outcome`, with the id; a job that does not run is answered for with `job.not_running`. Every job has',
    '`$state`: `init`, `ready`, `sleeping`, `disconnected` or, when it died, `lost`; `ready`, `sleeping` and `disconnected` can be ordered.',
    'Numbers are decimal text, booleans `True` and `False`, structures JSON.',
    '',
    ...jobDefinitions.flatMap(jobSection),
    '## Other events',
    '',
    '| Topic | Retained | Payload | Meaning |',
    '|---|---|---|---|',
    ...catalogue.events.map(
      ({ pattern, retained, payload, doc }) =>
        `| \`${pattern}\` | ${yes(retained)} | \`${fieldNames(payload, datatypeOf(payload))}\` | ${doc} |`,
    ),
    '',
    '## Capabilities of a job',
    '',
    'What is retained on `system/<unit>/capabilities/jobs/<job_name>` (of an automation on `…/<job_name>/<automation_name>`) is enough to build the',
    'forms of a job: `form.start` has a field for each option and argument of the start, `form.settings` one for each published setting, `$state`',
    'included. The rest is what `GET /unit_api/capabilities` gives.',
    '',
    '| List | Fields of an entry |',
    '|---|---|',
    `| \`form.start\` | \`${fieldsOf('start')}\` |`,
    `| \`form.settings\` | \`${fieldsOf('settings')}\` |`,
    '',
    '`schema` is the JSON schema of the value, with the range, choices and our keywords `unit` and `step`. In the topics `{experiment}` stands for the',
    'experiment that the job runs in: subscribe with `+` in its place. With a `value_path` the payload is JSON, and the number to be shown stands there.',
    'A `command_topic` takes what `command_schema`, or else `schema`, allows.',
    '',
    '## Commands',
    '',
    'Orders that are not settings go to `system/<unit>/commands/<command>`, not retained: a JSON object with an `id` of your own (1 to 80 letters,',
    'digits, `_` and `-`) and what stands below; `?` marks what may be left out. The outcome is published on `system/<unit>/outcomes/<id>`: `accepted`',
    'is true and `result` holds what the command produced, or it is false and `error` has code and message. An order without an id is given one; one',
    'with one of the last 1000 ids is not carried out again.',
    '',
    '| Command | Payload | Result | Meaning |',
    '|---|---|---|---|',
    ...catalogue.commands.map(
      ({ name, payload, result, doc }) =>
        `| \`${name}\` | ${orderFields(payload)} | ${resultFields(result)} | ${doc} |`,
    ),
    '',
  ].join('\n')
}
