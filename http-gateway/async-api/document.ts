import type { Catalogue } from '../../events/catalogue.js'
import type { JobCapability } from '../../events/core/capability.js'
import { commandFlows } from './command-flows.js'
import { eventFlows } from './event-flows.js'
import type { MessageFlow, Payload } from './message-flow.js'
import { PARAMETERS } from './parameters.js'
import { securitySchemes, servers } from './servers.js'
import { settingFlows } from './setting-flows.js'

type Json = Readonly<Record<string, unknown>>

/** The AsyncAPI 3.0 document of a unit: the topics of its jobs, events and commands. Operations are told from the unit's point of view:
 * a client subscribes to what the unit sends, and publishes what the unit receives.
 * @param jobs what is announced of them @param catalogue what it publishes and takes beside them */
export function asyncApi(jobs: readonly JobCapability[], { events, commands }: Catalogue): Json {
  const flows = [...settingFlows(jobs), ...eventFlows(events), ...commandFlows(commands)]
  const byKey = flows.map((flow) => [channelKey(flow.topic), flow] as const)
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Benchlog',
      version: '1.0',
      description:
        'Topics of a bioreactor and of its box of potentiostats. Every message is recorded in the log before it is delivered. ' +
        'Values are plain text or JSON; an empty payload clears a retained topic. Times are UTC, RFC 3339 with `Z`. ' +
        'In schemas, the keyword `unit` is the physical unit of a number, `step` by how much a form counts.',
      license: { name: 'MIT' },
      tags: [
        { name: 'jobs', description: 'Settings of the jobs of the bioreactor.' },
        { name: 'bioreactor', description: 'Other events of the bioreactor.' },
        { name: 'potentiostat', description: 'Devices, runs and samples of the potentiostats.' },
        { name: 'system', description: 'The unit itself: jobs, tasks, commands and their outcomes, capabilities.' },
      ],
    },
    defaultContentType: 'application/json',
    servers,
    channels: channels(byKey),
    operations: Object.fromEntries(byKey.map(([key, flow]) => [`${flow.action}.${key}`, operation(key, flow)])),
    components: { securitySchemes },
  }
}

/** The document as it is committed in `docs/asyncapi.json`. */
export const renderAsyncApi = (jobs: readonly JobCapability[], catalogue: Catalogue): string =>
  `${JSON.stringify(asyncApi(jobs, catalogue), null, 2)}\n`

/** Levels that every topic of a family has, and that tell topics apart nowhere. */
const COMMON_LEVELS = ['{unit}', '{box}', '{experiment}']

/** `pioreactor/{unit}/{experiment}/stirring/target_rpm/set` → `pioreactor.stirring.target_rpm.set` */
const channelKey = (topic: string): string =>
  topic
    .split('/')
    .filter((level) => !COMMON_LEVELS.includes(level))
    .join('.')
    .replace(/[{}$]/g, '')

/** One per topic. An order of one job to another is sent and received on the same one. */
function channels(flows: readonly (readonly [key: string, flow: MessageFlow])[]): Json {
  const byKey = new Map<string, MessageFlow>()
  for (const [key, flow] of flows) {
    const payloads = { ...byKey.get(key)?.payloads, ...flow.payloads }
    byKey.set(key, { ...flow, ...byKey.get(key), payloads })
  }
  return Object.fromEntries([...byKey].map(([key, flow]) => [key, channel(flow)]))
}

function channel({ topic, summary, payloads }: MessageFlow): Json {
  const names = [...new Set([...topic.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => name))]
  return {
    address: topic,
    summary,
    ...(names.length === 0
      ? {}
      : { parameters: Object.fromEntries(names.map((name) => [name, PARAMETERS[name] ?? {}])) }),
    messages: Object.fromEntries(Object.entries(payloads).map(([name, payload]) => [name, message(payload)])),
  }
}

const message = ({ contentType, schema, hasId }: Payload): Json => ({
  contentType,
  payload: schema,
  ...(hasId === true ? { correlationId: { location: '$message.payload#/id' } } : {}),
})

const messageReferences = (key: string, names: readonly string[]): readonly Json[] =>
  names.map((name) => ({ $ref: `#/channels/${key}/messages/${name}` }))

function replyOf({ topic, payloads }: NonNullable<MessageFlow['reply']>): Json {
  const key = channelKey(topic)
  const channel = { $ref: `#/channels/${key}` }
  return payloads === undefined ? { channel } : { channel, messages: messageReferences(key, payloads) }
}

/** Everything the unit sends has QoS 1, and so has what it receives when the sender wants to know that it is recorded. */
const QOS = 1

const operation = (key: string, { action, summary, payloads, tag, retained, reply }: MessageFlow): Json => ({
  action,
  summary,
  channel: { $ref: `#/channels/${key}` },
  messages: messageReferences(key, Object.keys(payloads)),
  tags: [{ name: tag }],
  bindings: { mqtt: { qos: QOS, retain: retained, bindingVersion: '0.2.0' } },
  ...(reply === undefined ? {} : { reply: replyOf(reply) }),
})
