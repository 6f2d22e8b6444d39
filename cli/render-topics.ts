import type { TSchema } from '@sinclair/typebox'
import { eventCatalogue } from '../events/catalogue.js'
import { datatypeOf, type JobDefinition } from '../events/core/define-job.js'
import { requests } from '../events/payloads.js'
import { jobDefinitions } from '../services/bioreactor/index.js'

const fields = (schema: TSchema): string => {
  const properties = schema['properties'] as Readonly<Record<string, TSchema>> | undefined
  return properties === undefined ? datatypeOf(schema) : `{ ${Object.keys(properties).join(', ')} }`
}

const yes = (value: boolean | undefined): string => (value === true ? 'yes' : '')

function jobSection({ name, spec, settings }: JobDefinition): readonly string[] {
  const rows = Object.entries(settings).map(
    ([setting, { schema, unit, settable, persist, doc }]) =>
      `| \`${setting}\` | ${datatypeOf(schema)} | ${unit ?? ''} | ${yes(settable)} | ${yes(persist)} | ${doc} |`,
  )
  return [
    `### ${name}`,
    '',
    spec.help,
    '',
    '| Setting | Type | Unit | Settable | Kept after the end | Meaning |',
    '|---|---|---|---|---|---|',
    ...rows,
    '',
  ]
}

/** The topic reference, written from the declarations of jobs, events and requests. */
export function renderTopics(): string {
  return [
    '# Topics',
    '',
    'Every event is an MQTT message, recorded in the log before anyone receives it. Retained topics hold the last value; an empty payload clears',
    'one. Commands are never retained. Times are UTC, RFC 3339 with `Z`.',
    '',
    '## Jobs',
    '',
    'Each setting is published on `pioreactor/<unit>/<experiment>/<job>/<setting>`, retained. A settable one is changed by publishing to the same',
    'topic with `/set` appended, for one unit or for all of them (`$broadcast` as unit); the outcome follows on `…/set/outcome`. Every job has',
    '`$state`: `init`, `ready`, `sleeping`, `disconnected` or, when it died, `lost`; `ready`, `sleeping` and `disconnected` can be ordered.',
    'Numbers are decimal text, booleans `True` and `False`, structures JSON.',
    '',
    ...jobDefinitions.flatMap(jobSection),
    '## Other events',
    '',
    '| Topic | Retained | Payload | Meaning |',
    '|---|---|---|---|',
    ...eventCatalogue.map(
      ({ topic, retained, payload, doc }) => `| \`${topic}\` | ${yes(retained)} | \`${fields(payload)}\` | ${doc} |`,
    ),
    '',
    '## Requests',
    '',
    'Orders that are not settings go to `system/<unit>/request/<request>` as JSON with an `id` of your own; the outcome is published on',
    '`system/<unit>/commands/<id>`.',
    '',
    '| Request | Payload |',
    '|---|---|',
    ...Object.entries(requests).map(([name, schema]) => `| \`${name}\` | \`${fields(schema)}\` |`),
    '',
  ].join('\n')
}
