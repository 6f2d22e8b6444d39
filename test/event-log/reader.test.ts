import { expect, test } from 'vitest'
import type { RecordedEvent } from '../../events/event.js'
import { compileFilters } from '../../events/filter-tree.js'
import { FakeClock } from '../support/fake-clock.js'
import { event, logPath, openReader, openWriter } from './log.js'

const topicsOf = (events: readonly RecordedEvent[]): string[] => events.map(({ topic }) => topic)

test('says clearly that there is no log', () => {
  const path = logPath()
  expect(() => openReader(path)).toThrow(`There is no event log at ${path}.`)
})

test('reads an empty log, and what is written while it is open', async () => {
  const path = logPath()
  const writer = await openWriter({ path })
  const reader = openReader(path)
  expect(reader.lastPosition()).toBe(0)
  expect(reader.read({ after: 0, limit: 10 })).toEqual([])
  await writer.append([event('a'), event('b')])
  expect(reader.lastPosition()).toBe(2)
  expect(topicsOf(reader.read({ after: 1, limit: 10 }))).toEqual(['b'])
})

test('reads a log without a writer', async () => {
  const path = logPath()
  const writer = await openWriter({ path })
  await writer.append([event('a')])
  await writer.close()
  expect(openReader(path).lastPosition()).toBe(1)
})

test('a limit counts matches, also when they are far apart', async () => {
  const path = logPath()
  const writer = await openWriter({ path })
  await writer.append(Array.from({ length: 12_000 }, (_, i) => event(i % 3000 === 0 ? `rare/${i}` : 'often/x')))
  const reader = openReader(path)
  expect(topicsOf(reader.read({ after: 0, limit: 3, match: compileFilters(['rare/+']) }))).toEqual([
    'rare/0',
    'rare/3000',
    'rare/6000',
  ])
  expect(topicsOf(reader.read({ after: 6001, limit: 3, match: compileFilters(['rare/+']) }))).toEqual(['rare/9000'])
})

test('a page looks at a bounded number of rows and says how far it came', async () => {
  const path = logPath()
  const writer = await openWriter({ path })
  await writer.append(Array.from({ length: 100 }, (_, i) => event(`t/${i}`)))
  const reader = openReader(path)
  expect(reader.page({ after: 0, limit: 10, match: compileFilters(['t/99']), scan: 40 })).toEqual({
    events: [],
    position: 40,
  })
  const page = reader.page({ after: 80, limit: 10, match: compileFilters(['t/99']), scan: 40 })
  expect(topicsOf(page.events)).toEqual(['t/99'])
  expect(page.position).toBe(100)
  expect(reader.page({ after: 0, limit: 5, scan: 40 }).position).toBe(5)
})

test('pages by time, bounds included', async () => {
  const path = logPath()
  const clock = new FakeClock('2026-01-01T00:00:00.000Z')
  const writer = await openWriter({ path, clock })
  for (const topic of ['a', 'b', 'c', 'd']) {
    await writer.append([event(topic)])
    await clock.advance(1000)
  }
  const start = Date.parse('2026-01-01T00:00:00.000Z')
  const reader = openReader(path)
  expect(topicsOf(reader.read({ after: 0, limit: 9, from: start + 1000, to: start + 2000 }))).toEqual(['b', 'c'])
  expect(topicsOf(reader.read({ after: 0, limit: 9, from: start + 2001 }))).toEqual(['d'])
})

test('filters by MQTT topic filters', async () => {
  const path = logPath()
  const writer = await openWriter({ path })
  const topics = ['a', 'a/b', 'a/b/c', 'ab', 'x/b', '$other/b', 'a/[b]*?', 'A/b', 'a//c']
  await writer.append(topics.map((topic) => event(topic)))
  const reader = openReader(path)
  const matching = (...filters: string[]): string[] =>
    topicsOf(reader.read({ after: 0, limit: 99, match: compileFilters(filters) }))
  expect(matching('#')).toEqual(topics.filter((topic) => topic !== '$other/b'))
  expect(matching('a/#')).toEqual(['a', 'a/b', 'a/b/c', 'a/[b]*?', 'a//c'])
  expect(matching('+/b')).toEqual(['a/b', 'x/b', 'A/b'])
  expect(matching('a/+/c')).toEqual(['a/b/c', 'a//c'])
  expect(matching('a/[b]*?')).toEqual(['a/[b]*?'])
  expect(matching('$other/#')).toEqual(['$other/b'])
  expect(matching('a', 'x/#')).toEqual(['a', 'x/b'])
  expect(matching()).toEqual([])
})

test('gives the last retained event of each topic by position, and none for a cleared topic', async () => {
  const path = logPath()
  const writer = await openWriter({ path })
  const retained = { retain: true }
  await writer.append([
    event('u/a', '1', retained),
    event('u/b', '1', retained),
    event('u/a', '2', retained),
    event('u/a', 'passing'),
    event('u/b', '', retained),
    event('u/c', '3', retained),
  ])
  await writer.append([event('v/a', '4', retained)])
  const reader = openReader(path)
  const values = (filter: string): unknown[] =>
    reader.retained(filter).map(({ position, topic, payload }) => [position, topic, Buffer.from(payload).toString()])
  expect(values('u/#')).toEqual([
    [3, 'u/a', '2'],
    [6, 'u/c', '3'],
  ])
  expect(values('+/a')).toEqual([
    [3, 'u/a', '2'],
    [7, 'v/a', '4'],
  ])
  expect(values('u/b')).toEqual([])
})

test('reads payloads as the text that their bytes are, short or long, and null when they are not UTF-8', async () => {
  const path = logPath()
  const writer = await openWriter({ path })
  const bytes = Buffer.from([0x7b, 0xff, 0x7d])
  const texts = ['', '500', 'µA Ω \u0000 \u{1f9ea}', '\ufffd is no damage', 'x'.repeat(2048), 'Ω'.repeat(30_000)]
  await writer.append([...texts.map((text) => event('t', text)), event('t', '', { payload: bytes, retain: true })])
  await writer.append([event('t', '\ufeff{}')])
  const reader = openReader(path)
  const events = reader.readText({ after: 0, limit: 100, match: compileFilters(['t']) })
  expect(events.map(({ text }) => text)).toEqual([...texts, null, '{}'])
  expect(events.map(({ position, retain, recordedAt, topic }) => ({ position, retain, recordedAt, topic }))).toEqual(
    reader.read({ after: 0, limit: 100 }).map(({ position, retain, recordedAt, topic }) => ({
      position,
      retain,
      recordedAt,
      topic,
    })),
  )
})
