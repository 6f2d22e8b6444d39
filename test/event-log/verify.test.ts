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

test('reports a gap, a stale retained value and one too many', async () => {
  const path = logPath()
  const writer = await openWriter({ path })
  await writer.append(['a', 'b', 'c', 'd'].map((topic) => event(topic, '1', { retain: true })))
  await writer.close()
  expect(verifyLog(path)).toEqual({ ok: true, events: 4, lastPosition: 4, retainedTopics: 4, problems: [] })
  const db = new Database(path)
  db.exec("DELETE FROM events WHERE position = 2; DELETE FROM retained WHERE topic = 'd'")
  db.close()
  const report = verifyLog(path)
  expect(report.ok).toBe(false)
  expect(report.problems).toEqual([
    'Retained value of d at position 4 is not in the table.',
    'Retained table has b at position 2, the events do not.',
    'Positions run from 1 to 4 but there are 3 events: some are missing.',
  ])
})
