import { readFileSync } from 'node:fs'
import { Type } from '@sinclair/typebox'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { automationSettingsEvent } from '../../../events/bioreactor/automations.js'
import { defineEvent } from '../../../events/core/define-event.js'
import { Timestamp } from '../../../events/core/timestamp.js'
import { logStatusEvent } from '../../../events/system/log-status.js'
import { matchesFilter } from '../../../events/topic.js'
import { catalogue } from '../../../instruments.js'

// What stands between the marks is the example of `defineEvent`, word for word.
// example
const mass = defineEvent({
  pattern: 'balance/<unit>/<slot>/mass',
  retained: true,
  payload: Type.Object({ mass: Type.Number({ minimum: 0, unit: 'g' }), timestamp: Timestamp }),
  doc: 'What lies on the balance.',
})

const topic = mass.topic({ unit: 'u1', slot: 'left' })
const payload = mass.encode({ mass: 12.5, timestamp: '2026-11-20T09:41:57Z' })
const filter = mass.filter({ unit: 'u1' })
const from = mass.levels(topic)
const read = mass.parse(payload)
// end of the example

test('the example of the documentation is this one', () => {
  const lines = readFileSync('test/events/core/define-event.test.ts', 'utf8').split('\n')
  const example = lines.slice(lines.indexOf('// example') + 1, lines.indexOf('// end of the example'))
  const comment = example.map((line) => (line === '' ? ' *' : ` * ${line}`)).join('\n')
  expect(readFileSync('events/core/define-event.ts', 'utf8')).toContain(comment)
})

test('an event is published on its topic, found by its filter, and read back', () => {
  expect(topic).toBe('balance/u1/left/mass')
  expect(filter).toBe('balance/u1/+/mass')
  expect(mass.filter()).toBe('balance/+/+/mass')
  expect(from).toEqual({ unit: 'u1', slot: 'left' })
  expect(read).toEqual({ mass: 12.5, timestamp: '2026-11-20T09:41:57Z' })
  expectTypeOf(read.mass).toEqualTypeOf<number>()
})

test('what is not as declared is refused by name, when it is sent and when it is read', () => {
  const wrong = { mass: -1, timestamp: '2026-11-20T09:41:57Z' }
  expect(() => mass.encode(wrong)).toThrow('mass is -1; it must be at least 0.')
  expect(() => mass.parse(JSON.stringify(wrong))).toThrow('payload.mass is -1')
  expect(() => mass.parse('nonsense')).toThrow('not JSON')
})

test('a name that cannot be one topic level is refused', () => {
  expect(() => mass.topic({ unit: 'u1', slot: 'a/b' })).toThrow(/slot 'a\/b' cannot be one topic level/)
  // @ts-expect-error slot is missing
  expect(() => mass.topic({ unit: 'u1' })).toThrow('needs slot')
})

test('topics of something else have no levels', () => {
  for (const other of ['balance/u1/left', 'balance/u1/left/mass/set', 'scale/u1/left/mass', 'balance/u1//mass']) {
    expect(mass.levels(other), other).toBeNull()
  }
  expect(logStatusEvent.levels('$SYS/benchlog/log')).toEqual({})
})

test('a name may be a part of a level, and stand in it twice', () => {
  const levels = { unit: 'u1', experiment: 'exp', kind: 'led' }
  const settings = automationSettingsEvent.topic(levels)
  expect(settings).toBe('pioreactor/u1/exp/led_automation/led_automation_settings')
  expect(automationSettingsEvent.levels(settings)).toEqual(levels)
  expect(automationSettingsEvent.levels('pioreactor/u1/exp/led_automation/dosing_automation_settings')).toBeNull()
  expect(automationSettingsEvent.filter({ kind: 'led' })).toBe('pioreactor/+/+/led_automation/led_automation_settings')
})

describe('every declared event', () => {
  test('is declared once', () => {
    const patterns = catalogue.events.map(({ pattern }) => pattern)
    expect(new Set(patterns).size).toBe(patterns.length)
  })

  test.each(catalogue.events.map((event) => [event.pattern, event] as const))(
    '%s finds its own topic',
    (pattern, event) => {
      const names = [...pattern.matchAll(/<(\w+)>/g)].map(([, name]) => name)
      const levels = Object.fromEntries(names.map((name) => [name, `a-${name}`]))
      const own = event.topic(levels)
      expect(event.levels(own)).toEqual(levels)
      expect(matchesFilter(event.filter(), own)).toBe(true)
    },
  )
})
