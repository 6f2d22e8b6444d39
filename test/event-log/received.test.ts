import type { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import { openForReading } from '../../event-log/database.js'
import { unreleasedStatement } from '../../event-log/unreleased-messages.js'
import { verifyLog } from '../../event-log/verify.js'
import { openEventLogWriter } from '../../event-log/writer.js'
import { startWriterThread } from '../../event-log/writer-thread.js'
import type { Release } from '../../events/event.js'
import { eventually } from '../support/eventually.js'
import { FakeClock } from '../support/fake-clock.js'
import { silentLogger } from '../support/silent-logger.js'
import { event, logPath, openReader, openWriter } from './log.js'

const received = (client: string, messageId: number, payload = 'x') =>
  event(`from/${client}`, payload, { qos: 2, client, messageId })

test('an identifier is there with its event, and gone with its release', async () => {
  const path = logPath()
  const writer = await openWriter({ path })
  const reader = openReader(path)
  await writer.append([received('a', 1), event('t'), received('a', 2), received('b', 1)])
  expect(reader.received()).toEqual([
    { client: 'a', messageId: 1, position: 1 },
    { client: 'a', messageId: 2, position: 3 },
    { client: 'b', messageId: 1, position: 4 },
  ])
  await writer.append([], [{ client: 'a', messageId: 2 }])
  expect((await writer.append([event('t')], [{ client: 'a', messageId: 1 }])).firstPosition).toBe(5)
  await writer.append(
    [],
    [
      { client: 'nobody', all: true },
      { client: 'a', messageId: 1 },
      { client: 'b', messageId: 7 },
    ],
  )
  expect(reader.received()).toEqual([{ client: 'b', messageId: 1, position: 4 }])
  expect(reader.lastPosition()).toBe(5)
})

test('releases count as before the events they came with, also when appends share a transaction', async () => {
  const path = logPath()
  const writer = await openWriter({ path })
  await Promise.all([
    writer.append([received('a', 1, 'first')]),
    writer.append([received('b', 5)]),
    writer.append([received('a', 1, 'second')], [{ client: 'a', messageId: 1 }]),
    writer.append([received('b', 6)], [{ client: 'b', all: true }]),
  ])
  expect(openReader(path).received()).toEqual([
    { client: 'a', messageId: 1, position: 3 },
    { client: 'b', messageId: 6, position: 4 },
  ])
})

test('what is received is what came less what was released, in any order, across links and restarts', async () => {
  const client = fc.constantFrom('a', 'b', 'c')
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('receive' as const), client }) },
    // Counted from the oldest: 0 releases in order.
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('release' as const), client, nth: fc.nat({ max: 3 }) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('forget' as const), client }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('fill' as const) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const) }) },
  )
  const filling = Array.from({ length: 60 }, (_, i) => event(`t/${i % 3}`, `${i}`, { retain: true }))
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const path = logPath()
      let writer = await openEventLogWriter({ path, clock: new FakeClock(), logger: silentLogger })
      const expected = new Map<string, number>()
      let position = 0
      let nextId = 1
      for (const taken of steps) {
        switch (taken.kind) {
          case 'receive':
            void writer.append([received(taken.client, nextId)])
            expected.set(`${taken.client} ${nextId++}`, ++position)
            break
          case 'release': {
            const held = [...expected.keys()].filter((key) => key.startsWith(taken.client))[taken.nth]
            const release = { client: taken.client, messageId: Number(held?.split(' ')[1] ?? 9999) }
            void writer.append([], [release])
            if (held !== undefined) expected.delete(held)
            break
          }
          case 'forget':
            void writer.append([], [{ client: taken.client, all: true }])
            for (const key of [...expected.keys()]) if (key.startsWith(taken.client)) expected.delete(key)
            break
          case 'fill':
            // Two of them make a link.
            for (let i = 0; i < 10; i++) await writer.append(filling)
            position += 10 * filling.length
            break
          case 'restart':
            await writer.close()
            writer = await openEventLogWriter({ path, clock: new FakeClock(), logger: silentLogger })
        }
      }
      await writer.close()
      const found = openReader(path)
        .received()
        .map(({ client: name, messageId, position: at }) => [`${name} ${messageId}`, at])
      expect(found).toEqual([...expected])
      expect(verifyLog(path).problems).toEqual([])
    }),
    { numRuns: 25 },
  )
})

test('asking for them does not go through the log', async () => {
  const path = logPath()
  await openWriter({ path })
  const db = openForReading(path)
  onTestFinished(() => void db.close())
  const plan = db.prepare<[], { detail: string }>(`EXPLAIN QUERY PLAN ${unreleasedStatement(db).source}`).all()
  expect(plan.map(({ detail }) => detail).filter((detail) => /^SCAN (e|recorded)\b/.test(detail))).toEqual([])
})

test('a thread that dies takes no identifier and no release along', async () => {
  const path = logPath()
  const clock = new FakeClock()
  const threads: Worker[] = []
  const writer = await openEventLogWriter({
    path,
    clock,
    logger: silentLogger,
    startThread(data) {
      const thread = startWriterThread(data)
      threads.push(thread)
      return thread
    },
  })
  onTestFinished(() => writer.close())
  const ids = Array.from({ length: 100 }, (_, i) => i + 1)
  await writer.append(ids.map((id) => received('a', id)))
  const appended: Promise<unknown>[] = []
  for (let death = 0; death < 5; death++) {
    // Death may meet the release before, within or after its transaction.
    for (const id of ids.slice(20 * death, 20 * death + 19)) {
      const release: Release = { client: 'a', messageId: id }
      appended.push(writer.append([], [release]))
    }
    await threads.at(-1)?.terminate()
    await eventually(async () => {
      await clock.advance(500)
      expect([threads.length, writer.status().writable]).toEqual([death + 2, true])
    })
  }
  await Promise.all(appended)
  const reader = openReader(path)
  expect(reader.received().map(({ messageId }) => messageId)).toEqual([20, 40, 60, 80, 100])
  expect(reader.lastPosition()).toBe(100)
})
