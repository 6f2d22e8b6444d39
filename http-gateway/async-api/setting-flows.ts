import { type TSchema, Type } from '@sinclair/typebox'
import type { JobCapability } from '../../events/core/capability.js'
import { settingOutcomeEvent } from '../../events/system/outcomes.js'
import { COMMAND_ID } from '../../events/topic.js'
import { braced } from './event-flows.js'
import { type MessageFlow, type Payload, payloadOf } from './message-flow.js'

type SettingField = JobCapability['form']['settings'][number]

/** The published settings of jobs, and the topics on which they are ordered. Automations of one kind share topics: where a setting of one
 * name differs between them, the shapes bear the names of the automations. */
export function settingFlows(jobs: readonly JobCapability[]): readonly MessageFlow[] {
  const flows = new Map<string, MessageFlow>()
  for (const job of jobs) {
    for (const flow of job.form.settings.flatMap((field) => flowsOf(job, field))) {
      const known = flows.get(flow.topic)
      flows.set(flow.topic, known === undefined ? flow : merged(known, flow, job.automation_name ?? job.job_name))
    }
  }
  return [...flows.values()]
}

function flowsOf({ job_name }: JobCapability, field: SettingField): readonly MessageFlow[] {
  const { name, topic, command_topic, label, help, schema, command_schema, when } = field
  const published: MessageFlow = {
    topic: ofAnyUnit(topic),
    action: 'send',
    summary: `${label} of ${job_name}. ${help}${when === undefined ? '' : ` Present ${when}.`}`,
    retained: true,
    payloads: { value: payloadOf(schema) },
    tag: 'jobs',
  }
  if (command_topic === undefined) return [published]
  const ordered: MessageFlow = {
    topic: ofAnyUnit(command_topic),
    action: 'receive',
    summary: `Sets ${name} of ${job_name}: the value as text, or JSON with an id that the outcome returns.`,
    retained: false,
    payloads: commandPayloads(command_schema ?? schema),
    tag: 'jobs',
    reply: { topic: braced(settingOutcomeEvent.pattern) },
  }
  return [published, ordered]
}

const commandPayloads = (schema: TSchema): Readonly<Record<string, Payload>> => ({
  value: payloadOf(schema),
  value_with_id: {
    contentType: 'application/json',
    schema: Type.Object(
      { value: schema, id: Type.String({ pattern: COMMAND_ID.source }) },
      { additionalProperties: false },
    ),
    hasId: true,
  },
})

/** A capability names the unit that announced it; so is each setting of all units. */
const ofAnyUnit = (topic: string): string => topic.split('/').with(1, '{unit}').join('/')

function merged(known: MessageFlow, flow: MessageFlow, variant: string): MessageFlow {
  const shapes = new Set(Object.values(known.payloads).map((payload) => JSON.stringify(payload)))
  const others = Object.entries(flow.payloads).filter(([, payload]) => !shapes.has(JSON.stringify(payload)))
  return {
    ...known,
    payloads: {
      ...known.payloads,
      ...Object.fromEntries(others.map(([name, payload]) => [`${name}_of_${variant}`, payload])),
    },
  }
}
