import { readFileSync } from 'node:fs'
import { Type } from '@sinclair/typebox'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { defineCommand, type OrderOf, type ResultOf } from '../../../events/core/define-command.js'
import { violations } from '../../../events/schema.js'
import { isCommandTopic, parseTopic } from '../../../events/topic.js'
import { catalogue } from '../../../instruments.js'
import { answer } from '../../../services/runtime/answer.js'

// What stands between the marks is the example of `defineCommand`, word for word.
// example
const tare = defineCommand({
  name: 'tare_balance',
  payload: Type.Object({ slot: Type.String() }),
  result: Type.Object({ offset: Type.Number({ unit: 'g' }) }),
  doc: 'Takes what lies on a balance as its zero.',
})

const topic = tare.topic({ unit: 'u1' })
const message = tare.encode('order-1', { slot: 'left' })
const order = tare.parse(message)
const { offset } = tare.parseResult({ offset: 0.25 })
// end of the example

test('the example of the documentation is this one', () => {
  const lines = readFileSync('test/events/core/define-command.test.ts', 'utf8').split('\n')
  const example = lines.slice(lines.indexOf('// example') + 1, lines.indexOf('// end of the example'))
  const comment = example.map((line) => (line === '' ? ' *' : ` * ${line}`)).join('\n')
  expect(readFileSync('events/core/define-command.ts', 'utf8')).toContain(comment)
})

test('an order goes to the topic of its command, and is read back without its id', () => {
  expect(topic).toBe('system/u1/commands/tare_balance')
  expect(tare.pattern).toBe('system/<unit>/commands/tare_balance')
  expect(JSON.parse(message)).toEqual({ slot: 'left', id: 'order-1' })
  expect(order).toEqual({ slot: 'left' })
  expect(offset).toBe(0.25)
  expectTypeOf<OrderOf<typeof tare>>().toEqualTypeOf<{ slot: string }>()
  expectTypeOf<ResultOf<typeof tare>>().toEqualTypeOf<{ offset: number }>()
})

test('fields that are not declared are not handed on', () => {
  expect(tare.parse('{"slot":"left","accepted":true}')).toEqual({ slot: 'left' })
})

test('what is not as declared is refused by name', () => {
  expect(() => tare.parse('{"slot":7}')).toThrow('slot is 7; it must be of type string.')
  expect(() => tare.parse('{}')).toThrow('slot is missing.')
  expect(() => tare.parse('tare!')).toThrow('not JSON')
  expect(() => tare.parseResult({ offset: 'much' })).toThrow('result.offset is "much"')
})

test('a field with a default may be left out, and its handler finds it there', () => {
  const weigh = defineCommand({
    name: 'weigh',
    payload: Type.Object({
      slot: Type.String(),
      times: Type.Integer({ default: 3, maximum: 9 }),
      tags: Type.Array(Type.String(), { default: [] }),
    }),
    result: Type.Null(),
    doc: 'Weighs.',
  })
  const order = weigh.parse('{"slot":"left"}')
  expect(order).toEqual({ slot: 'left', times: 3, tags: [] })
  expect(weigh.parse('{"slot":"left","times":5,"tags":["a"]}')).toEqual({ slot: 'left', times: 5, tags: ['a'] })
  expect(() => weigh.parse('{"slot":"left","times":10}')).toThrow('times is 10; it must be at most 9.')
  expect(() => weigh.parse('{"slot":"left","times":null}')).toThrow('times is null')
  expect(() => weigh.parse('[]')).toThrow('of type object')
  expect(weigh.message.required).toEqual(['slot'])
  order.tags.push('mine')
  expect(weigh.parse('{"slot":"left"}').tags).toEqual([])
})

test('a handler has the types of its command', async () => {
  const { carryOut } = answer(tare, async ({ slot }, id) => ({ offset: slot.length + id.length }))
  expect(await carryOut('{"slot":"left"}', 'x')).toEqual({ offset: 5 })
  await expect(carryOut('{"slot":7}', 'x')).rejects.toThrow('slot is 7')
  // @ts-expect-error the result lacks its offset
  answer(tare, async () => ({}))
  // @ts-expect-error the order has no such field
  answer(tare, async ({ weight }) => ({ offset: weight }))
})

test.each(['Tare', 'tare-balance', 'tare/balance', '', '_tare'])('%j is no name of a command', (name) => {
  expect(() => defineCommand({ ...tare, name })).toThrow('is wrong: a name is')
})

test('the id belongs to every order, not to a payload', () => {
  const payload = Type.Object({ id: Type.String() })
  expect(() => defineCommand({ ...tare, payload })).toThrow('has the field id')
})

describe('every declared command', () => {
  test('is declared once', () => {
    const names = catalogue.commands.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
  })

  test.each(catalogue.commands.map((command) => [command.name, command] as const))(
    '%s is ordered, and never retained, on its own topic',
    (name, command) => {
      const own = command.topic({ unit: 'u1' })
      expect(parseTopic(own)).toEqual({ family: 'command', unit: 'u1', command: name })
      expect(isCommandTopic(own)).toBe(true)
      expect(violations(command.message, { id: 'a/b' }).map(({ field }) => field)).toContain('id')
    },
  )
})
