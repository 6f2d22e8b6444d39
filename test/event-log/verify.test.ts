import Database from 'better-sqlite3'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { verifyLog } from '../../event-log/verify.js'
import { event, logPath, openReader, openWriter } from './log.js'

test('the retained table is the fold of the log, whatever the order and the size of the batches', async () => {
  const path = logPath()
  const writer = await openWriter({ path })
  const reader = openReader(path)
  const expected = new Map<string, string>()
  const anyEvent = fc.record({
    topic: fc.constantFrom('a', 'a/b', 'b', 'c/d/e', 'ü'),
    payload: fc.constantFrom('', '1', '2', 'long text'),
    retain: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(anyEvent, { minLength: 1, maxLength: 8 }), { maxLength: 8 }),
      async (batches) => {
        const appended = batches.map((batch) =>
          writer.append(batch.map(({ topic, payload, retain }) => event(topic, payload, { retain }))),
        )
        await Promise.all(appended)
        for (const { topic, payload, retain } of batches.flat()) {
          if (retain && payload === '') expected.delete(topic)
          if (retain && payload !== '') expected.set(topic, payload)
        }
        const kept = reader.retained('#').map(({ topic, payload }) => [topic, Buffer.from(payload).toString()] as const)
        expect(new Map(kept)).toEqual(expected)
        expect(verifyLog(path).problems).toEqual([])
      },
    ),
    { numRuns: 50 },
  )
})

test('reports a gap, changed events, a stale retained value and one too many', async () => {
  const path = logPath()
  const writer = await openWriter({ path })
  const many = Array.from({ length: 50 }, (_, i) => event(`t/${i % 4}`, `${i}`, { retain: true }))
  for (let i = 0; i < 20; i++) await writer.append(many)
  await writer.append(many.slice(0, 7))
  await writer.close()
  const sound = { ok: true, events: 1007, lastPosition: 1007, retainedTopics: 4, links: 1, unlinked: 7, problems: [] }
  expect(verifyLog(path)).toEqual(sound)
  const db = new Database(path)
  db.exec("DELETE FROM recorded WHERE position = 2; DELETE FROM retained WHERE topic = 't/3'")
  db.exec(
    "UPDATE retained SET position = 5 WHERE topic = 't/1'; UPDATE recorded SET payload = x'00' WHERE position = 9",
  )
  db.close()
  const report = verifyLog(path)
  expect(report.ok).toBe(false)
  expect(report.problems).toEqual([
    'Position 1 is followed by 3: events are missing.',
    'Events from position 1 to 1000 are not those that were recorded.',
    'Retained value of t/3 at position 998 is not in the table.',
    'Retained value of t/1 at position 1000 is not in the table.',
    'Retained table has t/1 at position 5, the events do not.',
  ])
})
