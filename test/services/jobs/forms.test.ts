import { afterEach, describe, expect, test } from 'vitest'
import type { JobCapability } from '../../../events/core/capability.js'
import { jobCapabilityEvent } from '../../../events/system/jobs.js'
import { settingOutcomeEvent } from '../../../events/system/outcomes.js'
import { jobDefinitions } from '../../../services/bioreactor/index.js'
import { createRandom } from '../../../simulation/random.js'
import { type BioreactorLab, startBioreactorLab } from '../../support/bioreactor-lab.js'
import { LitBioreactor } from '../../support/lit-bioreactor.js'

/** A dashboard that knows nothing of the unit but what it announces. */

type Field = JobCapability['form']['settings'][number]
type StartField = JobCapability['form']['start'][number]

/** An element of a form. */
type Input =
  | {
      readonly kind: 'number'
      readonly min: number
      readonly max: number
      readonly step: number | undefined
      readonly unit: string
    }
  | { readonly kind: 'select'; readonly options: readonly string[] }
  | { readonly kind: 'checkbox' | 'text' | 'list' | 'json' }

const numberIn = (schema: object, ...keywords: readonly string[]): number | undefined =>
  keywords.flatMap((keyword) => {
    const value: unknown = Reflect.get(schema, keyword)
    return typeof value === 'number' ? [value] : []
  })[0]

/** The input for what may be ordered; null where nothing can be typed in. */
function inputFor(schema: object): Input | null {
  const choices: unknown = Reflect.get(schema, 'enum')
  if (Array.isArray(choices)) return { kind: 'select', options: choices.map(String) }
  switch (Reflect.get(schema, 'type')) {
    case 'number':
    case 'integer':
      return {
        kind: 'number',
        min: numberIn(schema, 'minimum', 'exclusiveMinimum') ?? Number.NEGATIVE_INFINITY,
        max: numberIn(schema, 'maximum', 'exclusiveMaximum') ?? Number.POSITIVE_INFINITY,
        step: numberIn(schema, 'step'),
        unit: String(Reflect.get(schema, 'unit') ?? ''),
      }
    case 'boolean':
      return { kind: 'checkbox' }
    case 'string':
      return { kind: 'text' }
    case 'array':
      return { kind: 'list' }
    case 'object':
      return { kind: 'json' }
    default:
      return null
  }
}

const ordered = ({ command_schema, schema }: Field): object => command_schema ?? schema

describe.each(jobDefinitions.map((job) => [job.key, job.capability('u1').form] as const))(
  'the forms of %s',
  (_, form) => {
    test('have an input with label and help for every value that can be given', () => {
      const given: readonly (Field | StartField)[] = [
        ...form.start,
        ...form.settings.filter(({ command_topic }) => command_topic !== undefined),
      ]
      expect(given.length).toBeGreaterThan(0)
      for (const field of given) {
        expect([field.name, inputFor('topic' in field ? ordered(field) : field.schema)]).not.toContain(null)
        expect([field.label, field.help]).not.toContain('')
        if (Reflect.get(field.schema, 'type') === 'number') expect(field.schema).toHaveProperty('step')
      }
    })

    test('know where each order goes and is answered, and which value is shown', () => {
      for (const { topic, command_topic, outcome_topic, value_path, schema } of form.settings) {
        const orders = command_topic === undefined ? undefined : `${topic}/set`
        expect([command_topic, outcome_topic]).toEqual([orders, orders && `${orders}/outcome`])
        if (value_path === undefined) continue
        // What stands there is one value, in every shape that the payload can have.
        const shapes: readonly object[] = Reflect.get(schema, 'anyOf') ?? [schema]
        for (const shape of shapes)
          expect(inputFor(Reflect.get(Reflect.get(shape, 'properties'), value_path))).not.toBeNull()
      }
    })
  },
)

describe('a form made of what a unit announces', () => {
  let lab: BioreactorLab | undefined
  afterEach(() => lab?.close())

  test('shows what is in force, orders what its inputs allow, and is refused what they do not', async () => {
    const { broker, clock, context, begin, task } = await (async () => {
      lab = await startBioreactorLab({ bioreactor: new LitBioreactor(createRandom(11)) })
      return lab
    })()
    const announced = broker.retained.get(jobCapabilityEvent.topic({ unit: 'u1', job_name: 'od_reading' }))
    const { form } = jobCapabilityEvent.parse(String(announced))
    const id = await begin('od_reading', { interval: 8 })
    for (let waited = 0; task(id)['status'] === 'running' && waited < 30; waited++) await clock.advance(100)
    expect(task(id)).toMatchObject({ status: 'succeeded' })

    const here = (topic: string): string => topic.replace('{experiment}', 'exp')
    const shown = ({ topic }: Field): string | undefined => broker.retained.get(here(topic))?.toString()
    const order = async (field: Field, text: string): Promise<object> => {
      const { command_topic = '', outcome_topic = '' } = field
      const answers = (): readonly string[] => broker.payloads(here(outcome_topic))
      const before = answers().length
      await context.bus.publish(here(command_topic), JSON.stringify({ value: text, id: 'mine' }))
      // A reading under way is finished first.
      for (let waited = 0; answers().length === before && waited < 100; waited++) await clock.advance(100)
      return settingOutcomeEvent.parse(answers()[before] ?? '')
    }

    const inputs = form.settings.flatMap((field) => {
      const input = field.command_topic === undefined ? null : inputFor(ordered(field))
      return input === null ? [] : [{ field, input }]
    })
    expect(inputs.map(({ field, input }) => [field.name, input])).toEqual([
      ['ir_led_intensity', { kind: 'number', min: 0, max: 100, step: 1, unit: '%' }],
      ['interval', expect.objectContaining({ kind: 'number', min: 0, unit: 's' }) as unknown],
      ['$state', { kind: 'select', options: ['ready', 'sleeping', 'disconnected'] }],
    ])
    for (const { field, input } of inputs) {
      const now = shown(field)
      if (input.kind === 'number') {
        expect(Number(now)).toBeGreaterThanOrEqual(input.min)
        expect(await order(field, now ?? '')).toMatchObject({ id: 'mine', accepted: true, result: Number(now) })
        expect(await order(field, String(input.min - 1))).toMatchObject({
          id: 'mine',
          accepted: false,
          error: { details: { field: field.name } },
        })
        expect(shown(field)).toBe(now)
      }
      if (input.kind === 'select') {
        expect(now).toBe('ready')
        for (const option of ['sleeping', 'ready', 'disconnected']) {
          expect(input.options).toContain(option)
          expect(await order(field, option)).toMatchObject({ id: 'mine', accepted: true, result: option })
        }
        expect(shown(field)).toBe('disconnected')
      }
    }
  })
})
