import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FilterSet } from '../../broker/filter-set.js'
import { RetainedValues } from '../../broker/retained-values.js'
import { SubscriptionTree } from '../../broker/subscription-tree.js'
import type { Qos } from '../../events/event.js'
import { matchesFilter } from '../../events/topic.js'

const level = fc.constantFrom('a', 'b', '', '$x', 'é')
const topics = fc.array(level, { minLength: 1, maxLength: 4 }).map((levels) => levels.join('/'))
const filters = fc
  .tuple(fc.array(fc.oneof(level, fc.constant('+')), { maxLength: 3 }), fc.oneof(level, fc.constantFrom('+', '#')))
  .map(([levels, last]) => [...levels, last].join('/'))
const qos = fc.constantFrom<Qos>(0, 1, 2)

test('the tree finds the subscribers a comparison of every filter finds, with the highest QoS, also after removals', () => {
  const subscription = fc.record({
    filter: filters,
    subscriber: fc.integer({ min: 0, max: 3 }),
    qos,
    kept: fc.boolean(),
  })
  fc.assert(
    fc.property(fc.array(subscription, { maxLength: 12 }), topics, (subscriptions, topic) => {
      const tree = new SubscriptionTree<number>()
      const expected = new Map<string, { filter: string; subscriber: number; qos: Qos }>()
      for (const { filter, subscriber, qos, kept } of subscriptions) {
        tree.add(filter, subscriber, qos)
        tree.match(topic)
        expected.set(`${subscriber} ${filter}`, { filter, subscriber, qos })
        if (kept) continue
        tree.remove(filter, subscriber)
        expected.delete(`${subscriber} ${filter}`)
      }
      const highest = new Map<number, Qos>()
      for (const { filter, subscriber, qos } of expected.values()) {
        if (matchesFilter(filter, topic) && qos >= (highest.get(subscriber) ?? 0)) highest.set(subscriber, qos)
      }
      const found = tree.match(topic).map((match) => [match.subscriber, match.qos] as const)
      expect(new Map(found)).toEqual(highest)
      expect(found.length).toBe(highest.size)
    }),
    { numRuns: 500 },
  )
})

test('retained values are found as a comparison of every topic with every filter finds them, each once with the highest QoS', () => {
  const message = fc.record({ topic: topics, payload: fc.constantFrom('', '1', '2') })
  const subscription = fc.record({ filter: filters, qos, kept: fc.boolean() })
  fc.assert(
    fc.property(
      fc.array(message, { maxLength: 15 }),
      fc.array(subscription, { maxLength: 4 }),
      (messages, subscriptions) => {
        const values = new RetainedValues()
        const present = new Map<string, string>()
        for (const { topic, payload } of messages) {
          values.keep({ topic, payload: Buffer.from(payload), qos: 1, retain: true, client: '', position: 1 })
          if (payload === '') present.delete(topic)
          else present.set(topic, payload)
        }
        const set = new FilterSet()
        const kept = new Map<string, Qos>()
        for (const { filter, qos } of subscriptions) {
          set.add(filter, qos)
          kept.set(filter, qos)
        }
        for (const { filter, kept: stays } of subscriptions) {
          if (stays) continue
          set.remove(filter)
          kept.delete(filter)
        }
        const compared = [...present].flatMap(([topic, payload]) => {
          const granted = [...kept].flatMap(([filter, qos]) => (matchesFilter(filter, topic) ? [qos] : []))
          return granted.length === 0 ? [] : [`${topic}=${payload} ${Math.max(...granted)}`]
        })
        expect(foundBy(values, set).sort()).toEqual(compared.sort())
      },
    ),
    { numRuns: 500 },
  )
})

function foundBy(values: RetainedValues, filters: FilterSet): string[] {
  const found: string[] = []
  const walk = values.walk(filters)
  for (let step = walk.next(); step.done !== true; step = walk.next()) {
    if (step.value === undefined) continue
    const { message, granted } = step.value
    found.push(`${message.topic}=${Buffer.from(message.payload)} ${granted}`)
  }
  return found
}
