import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Message } from '../../broker/message.js'
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

test('retained values are found as a comparison of every topic finds them', () => {
  const message = fc.record({ topic: topics, payload: fc.constantFrom('', '1', '2') })
  fc.assert(
    fc.property(fc.array(message, { maxLength: 15 }), filters, (messages, filter) => {
      const values = new RetainedValues()
      const expected = new Map<string, string>()
      for (const { topic, payload } of messages) {
        values.keep({ topic, payload: Buffer.from(payload), qos: 1, retain: true, client: '', position: 1 })
        if (payload === '') expected.delete(topic)
        else expected.set(topic, payload)
      }
      const found = values.find(filter).map(({ topic, payload }: Message) => `${topic}=${Buffer.from(payload)}`)
      const compared = [...expected].filter(([topic]) => matchesFilter(filter, topic)).map(([t, p]) => `${t}=${p}`)
      expect(found.sort()).toEqual(compared.sort())
    }),
    { numRuns: 500 },
  )
})
