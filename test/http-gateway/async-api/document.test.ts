import { readdirSync, readFileSync } from 'node:fs'
import schema from '@asyncapi/specs/schemas/3.0.0.json' with { type: 'json' }
import { Ajv, type ValidateFunction } from 'ajv'
import { describe, expect, test } from 'vitest'
import { defineJob } from '../../../events/core/define-job.js'
import { asyncApi } from '../../../http-gateway/async-api/document.js'
import { catalogue } from '../../../instruments.js'
import { jobDefinitions } from '../../../services/bioreactor/index.js'
import { jobOffer } from '../support/given-jobs.js'
import { startTestGateway } from '../support/start-test-gateway.js'

interface Message {
  readonly contentType: string
  readonly payload: object
}
interface Document {
  readonly servers: Readonly<Record<string, { readonly security: readonly { readonly $ref: string }[] }>>
  readonly channels: Readonly<
    Record<
      string,
      {
        readonly address: string
        readonly parameters?: Readonly<Record<string, { readonly description?: string }>>
        readonly messages: Readonly<Record<string, Message>>
      }
    >
  >
  readonly operations: Readonly<
    Record<
      string,
      {
        readonly action: 'send' | 'receive'
        readonly channel: { readonly $ref: string }
        readonly bindings: { readonly mqtt: { readonly qos: number; readonly retain: boolean } }
        readonly reply?: { readonly channel: { readonly $ref: string } }
      }
    >
  >
}

const jobs = jobDefinitions.map((definition) => definition.capability('u1'))
/** As a client receives it. */
const document = JSON.parse(JSON.stringify(asyncApi(jobs, catalogue))) as Document
const channels = Object.entries(document.channels)
const operations = Object.values(document.operations)
const NAMES = /\{(\w+)\}/g

const operationsOn = (address: string) => {
  const [key] = channels.find(([, channel]) => channel.address === address) ?? []
  return operations.filter(({ channel }) => channel.$ref === `#/channels/${key}`)
}

describe('the AsyncAPI document', () => {
  const isAsyncApi = new Ajv({
    strict: false,
    meta: false,
    validateSchema: false,
    validateFormats: false,
    allErrors: true,
  }).compile(schema)

  test('is as the schema of AsyncAPI 3.0 says', () => {
    isAsyncApi(document)
    expect(isAsyncApi.errors).toBeNull()
    expect(isAsyncApi({ ...document, operations: { odd: { action: 'shout' } } })).toBe(false)
  })

  test('every reference leads somewhere', () => {
    const references = [...JSON.stringify(document).matchAll(/"\$ref":"([^"]+)"/g)].map(([, path = '']) => path)
    expect(references.length).toBeGreaterThan(operations.length)
    const target = (path: string): unknown =>
      path
        .split('/')
        .slice(1)
        .reduce<unknown>((inner, key) => (inner as Readonly<Record<string, unknown>> | undefined)?.[key], document)
    expect(references.filter((path) => target(path) === undefined)).toEqual([])
  })

  test('every topic is there once, with what varies in it explained', () => {
    expect(new Set(channels.map(([, { address }]) => address)).size).toBe(channels.length)
    for (const [key, { address, parameters = {} }] of channels) {
      const names = new Set([...address.matchAll(NAMES)].map(([, name]) => name))
      expect([key, Object.keys(parameters)]).toEqual([key, [...names]])
      for (const [name, { description }] of Object.entries(parameters))
        expect([name, description]).toEqual([name, expect.any(String)])
    }
  })

  test('every event is one that the unit sends, retained as declared', () => {
    for (const { pattern, retained } of catalogue.events) {
      // An order of one job to another is received too.
      const all = operationsOn(pattern.replaceAll('<', '{').replaceAll('>', '}'))
      const found = all.filter(({ action }) => action === 'send')
      const wanted = { action: 'send', bindings: { mqtt: { qos: 1, retain: retained } } }
      expect([pattern, found]).toMatchObject([pattern, [wanted]])
    }
  })

  test('every setting is sent, and received on the topic of its commands, whose outcome is the reply', () => {
    const settings = jobs.flatMap(({ form }) => form.settings)
    expect(settings.length).toBeGreaterThan(20)
    for (const { topic, command_topic } of settings) {
      expect(operationsOn(topic.replace('u1', '{unit}'))).toMatchObject([
        { action: 'send', bindings: { mqtt: { qos: 1, retain: true } } },
      ])
      if (command_topic !== undefined)
        expect(
          operationsOn(command_topic.replace('u1', '{unit}')).filter(({ action }) => action === 'receive'),
        ).toMatchObject([
          {
            bindings: { mqtt: { qos: 1, retain: false } },
            reply: { channel: { $ref: '#/channels/pioreactor.job.setting.set.outcome' } },
          },
        ])
    }
  })

  test('an order of one job to another is both sent and received', () => {
    const dosing = defineJob({ name: 'dosing_automation', help: '', parameters: {} }).capability('u1')
    const { operations, channels } = asyncApi([dosing], catalogue) as unknown as Document
    const key = 'pioreactor.dosing_automation.state.set'
    expect(operations[`send.${key}`]).toMatchObject({ messages: [{ $ref: `#/channels/${key}/messages/event` }] })
    expect(operations[`receive.${key}`]).toMatchObject({
      messages: [{ $ref: `#/channels/${key}/messages/value` }, { $ref: `#/channels/${key}/messages/value_with_id` }],
    })
    expect(Object.keys(channels[key]?.messages ?? {}).sort()).toEqual(['event', 'value', 'value_with_id'])
  })

  test('every command is received, and its outcome is the reply', () => {
    const outcomes = document.channels['system.outcomes.id']?.messages ?? {}
    for (const { name, result, message } of catalogue.commands) {
      const key = '#/channels/system.outcomes.id'
      expect(operationsOn(`system/{unit}/commands/${name}`)).toMatchObject([
        {
          action: 'receive',
          bindings: { mqtt: { retain: false } },
          reply: { channel: { $ref: key }, messages: [{ $ref: `${key}/messages/outcome_of_${name}` }] },
        },
      ])
      const plain = (schema: object): unknown => JSON.parse(JSON.stringify(schema))
      expect(outcomes[`outcome_of_${name}`]?.payload).toMatchObject({ properties: { result: plain(result) } })
      expect(document.channels[`system.commands.${name}`]?.messages['command']?.payload).toEqual(plain(message))
    }
  })

  test('automations of one kind share the topics of their settings', () => {
    const silent = jobs.find(
      ({ job_name, automation_name }) => job_name === 'led_automation' && automation_name === 'silent',
    )
    if (silent === undefined) throw new Error('no silent automation')
    const [first, ...others] = silent.form.settings
    if (first === undefined) throw new Error('no setting')
    const loud = {
      ...silent,
      automation_name: 'loud',
      form: { ...silent.form, settings: [{ ...first, schema: { ...first.schema, maxLength: 9 } }, ...others] },
    }
    const merged = asyncApi([silent, loud], catalogue) as unknown as Document
    const names = (key: string): readonly string[] => Object.keys(merged.channels[key]?.messages ?? {})
    expect(names(`pioreactor.led_automation.${first.name}`)).toEqual(['value', 'value_of_loud'])
    expect(names('pioreactor.led_automation.state')).toEqual(['value'])
  })
})

describe('recorded messages of the jobs', () => {
  const ajv = new Ajv({ strict: false })
  const checks = new Map<object, ValidateFunction>()
  const fits = ({ contentType, payload }: Message, text: string): boolean => {
    const check = checks.get(payload) ?? ajv.compile(payload)
    checks.set(payload, check)
    try {
      return check(contentType === 'text/plain' ? text : JSON.parse(text))
    } catch {
      return false
    }
  }
  const patterns = channels.map(([key, channel]) => {
    const literal = channel.address.replace(/[$.]/g, '\\$&')
    return { key, channel, regex: new RegExp(`^${literal.replace(NAMES, '[^/]+')}$`) }
  })
  const directory = 'test/fixtures/recorded-sessions'

  test.each(readdirSync(directory).filter((file) => !file.startsWith('failed-')))(
    '%s: each is in the document, and fits its schema',
    (file) => {
      const lines = readFileSync(`${directory}/${file}`, 'utf8').split('\n')
      const messages = lines.flatMap((line) => {
        const found = /^ *[\d.]+ ([r-])(\d) (\S+) (.*)$/.exec(line)
        // What clients order may be wrong.
        return found === null || found[3]?.endsWith('/set')
          ? []
          : [{ retained: found[1] === 'r', topic: found[3] ?? '', text: found[4] ?? '' }]
      })
      expect(messages.length).toBeGreaterThan(10)
      const unknown = messages.filter(
        ({ retained, topic, text }) =>
          !patterns.some(
            ({ key, channel: { messages: shapes }, regex }) =>
              regex.test(topic) &&
              document.operations[`send.${key}`]?.bindings.mqtt.retain === retained &&
              // An empty payload clears a topic.
              (text === '' || Object.values(shapes).some((shape) => fits(shape, text))),
          ),
      )
      expect(unknown).toEqual([])
    },
  )
})

test('a unit serves the document of what it has on offer, without a key', async () => {
  const gateway = await startTestGateway({ boxApiKey: 'key', unitApiPassword: 'password' })
  try {
    const [offered] = jobs
    if (offered === undefined) throw new Error('no job')
    gateway.given(jobOffer(offered))
    await gateway.fold()
    const answer = await gateway.get('/asyncapi.json')
    expect([answer.status, answer.json]).toEqual([200, JSON.parse(JSON.stringify(asyncApi([offered], catalogue)))])
  } finally {
    await gateway.stop()
  }
})
