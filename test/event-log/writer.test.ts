import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { BroadcastChannel, type Worker } from 'node:worker_threads'
import Database from 'better-sqlite3'
import { expect, onTestFinished, test } from 'vitest'
import { COMMIT_CHANNEL } from '../../event-log/commit-channel.js'
import { verifyLog } from '../../event-log/verify.js'
import { openEventLogWriter } from '../../event-log/writer.js'
import { startWriterThread } from '../../event-log/writer-thread.js'
import { LogUnavailable } from '../../events/system/errors.js'
import type { LogStatus } from '../../events/system/log-status.js'
import { eventually } from '../support/eventually.js'
import { FakeClock } from '../support/fake-clock.js'
import { silentLogger } from '../support/silent-logger.js'
import { event, logPath, openReader, openWriter } from './log.js'

test('gives consecutive positions in the order of the calls, and the time of the clock', async () => {
  const path = logPath()
  const clock = new FakeClock('2026-03-01T10:00:00.000Z')
  const writer = await openWriter({ path, clock })
  const answers = await Promise.all([
    writer.append([event('a/b'), event('a/c')]),
    writer.append([event('a/d')]),
    writer.append([event('a/e'), event('a/f')]),
  ])
  expect(answers.map(({ firstPosition }) => firstPosition)).toEqual([1, 3, 4])
  const events = openReader(path).read({ after: 0, limit: 10 })
  expect(events.map(({ position, topic }) => [position, topic])).toEqual([
    [1, 'a/b'],
    [2, 'a/c'],
    [3, 'a/d'],
    [4, 'a/e'],
    [5, 'a/f'],
  ])
  expect(events.map(({ recordedAt }) => recordedAt)).toEqual(Array(5).fill(Date.parse('2026-03-01T10:00:00.000Z')))
})

test('returns every field as it was given, binary and empty payloads included', async () => {
  const path = logPath()
  const writer = await openWriter({ path })
  const given = [
    event('a/ü/☃', '', { qos: 2, retain: true, client: 'ç' }),
    event('b', '', { payload: Uint8Array.of(0, 255, 128), qos: 0 }),
  ]
  await writer.append(given)
  const read = openReader(path).read({ after: 0, limit: 10 })
  expect(read.map(({ topic, qos, retain, client }) => ({ topic, qos, retain, client }))).toEqual(
    given.map(({ topic, qos, retain, client }) => ({ topic, qos, retain, client })),
  )
  expect(read.map(({ payload }) => [...payload])).toEqual([[], [0, 255, 128]])
})

test.each([31, 32, 33, 64, 100])('records a batch of %d events as it was given', async (count) => {
  const path = logPath()
  const writer = await openWriter({ path })
  const given = Array.from({ length: count }, (_, i) =>
    event(`a/${i % 5}`, `${i}`, { qos: (i % 3) as 0 | 1 | 2, retain: i % 2 === 0, client: `c${i % 7}` }),
  )
  await writer.append(given)
  await writer.append([event('after')])
  const read = openReader(path).read({ after: 0, limit: 1000 })
  expect(read.map(({ position }) => position)).toEqual(Array.from({ length: count + 1 }, (_, i) => i + 1))
  const expected = given.map((one, i) => ({ ...one, position: i + 1, recordedAt: read[0]?.recordedAt }))
  expect(read.slice(0, count)).toEqual(expected)
  expect(verifyLog(path).problems).toEqual([])
})

test('an event alone in its transaction writes one small page', async () => {
  const path = logPath()
  const writer = await openWriter({ path })
  await writer.append([event('first')])
  const before = statSync(`${path}-wal`).size
  // Fewer than make a checkpoint or a link.
  for (let i = 0; i < 500; i++) {
    await writer.append([event(`pioreactor/u1/growth/stirring/setting_${i % 20}`, '0'.repeat(75), { retain: true })])
  }
  const bytes = statSync(`${path}-wal`).size - before
  expect(bytes / 500).toBeLessThan(1700)
})

test('continues at the next position after it was closed', async () => {
  const path = logPath()
  const first = await openWriter({ path })
  await first.append([event('a'), event('b')])
  await first.close()
  const second = await openWriter({ path })
  expect((await second.append([event('c')])).firstPosition).toBe(3)
})

test('commits what waits before it closes, and refuses what comes after', async () => {
  const path = logPath()
  const writer = await openWriter({ path })
  const appended = Array.from({ length: 50 }, (_, i) => writer.append([event(`a/${i}`)]))
  const closed = writer.close()
  await expect(writer.append([event('late')])).resolves.toBeDefined()
  await closed
  expect((await Promise.all(appended)).at(-1)?.firstPosition).toBe(50)
  await expect(writer.append([event('too late')])).rejects.toThrow(LogUnavailable)
})

test('tells the last position to the other threads after each commit', async () => {
  const writer = await openWriter({ path: logPath() })
  const channel = new BroadcastChannel(COMMIT_CHANNEL)
  onTestFinished(() => channel.close())
  const heard = new Promise((resolve) => {
    channel.onmessage = (message) => {
      const { data } = message as { data: unknown }
      if (data === 2) resolve(data)
    }
  })
  await writer.append([event('a'), event('b')])
  expect(await heard).toBe(2)
})

test('while the disk is full nothing is acknowledged or recorded, and work resumes by itself when there is room', async () => {
  const path = logPath()
  const clock = new FakeClock()
  const statuses: LogStatus[] = []
  const writer = await openWriter({ path, clock, maxPages: 80, onStatus: (status) => statuses.push(status) })
  expect(statuses.map(({ writable }) => writable)).toEqual([true])
  const payload = 'x'.repeat(10_000)
  let acknowledged = 0
  const appends = Array.from({ length: 30 }, async (_, i) => {
    await writer.append([event(`a/${i}`, payload)])
    acknowledged++
  })
  await eventually(() => expect(statuses.at(-1)?.writable).toBe(false))
  expect(statuses.at(-1)?.reason).toMatch(/full/)
  const before = acknowledged
  expect(openReader(path).lastPosition()).toBe(before)
  await clock.advance(2000)
  expect(acknowledged).toBe(before)

  writer.limitPages(100_000)
  await eventually(async () => {
    await clock.advance(500)
    expect(acknowledged).toBe(30)
  })
  await Promise.all(appends)
  expect(statuses.map(({ writable }) => writable)).toEqual([true, false, true])
  expect(
    openReader(path)
      .read({ after: 0, limit: 100 })
      .map(({ topic }) => topic),
  ).toEqual(Array.from({ length: 30 }, (_, i) => `a/${i}`))
  expect(verifyLog(path).problems).toEqual([])
})

test('keeps the retained table right when the disk is full in the middle of it', async () => {
  const path = logPath()
  const clock = new FakeClock()
  // 1000 events take about 280 pages; their topics, in the retained table that is written with the link, some 55.
  const writer = await openWriter({ path, clock, maxPages: 310 })
  const topics = Array.from({ length: 1000 }, (_, i) => `${'long/'.repeat(40)}${i % 250}`)
  const appendAll = async (): Promise<void> => {
    for (let from = 0; from < topics.length; from += 50) {
      await writer.append(topics.slice(from, from + 50).map((topic) => event(topic, '1', { retain: true })))
    }
  }
  const appended = appendAll()
  await eventually(() => expect(writer.status().reason).toMatch(/full/))
  expect(openReader(path).lastPosition()).toBe(950)
  writer.limitPages(100_000)
  await eventually(async () => {
    await clock.advance(500)
    expect(writer.status().writable).toBe(true)
  })
  await appended
  expect(verifyLog(path)).toMatchObject({ ok: true, events: 1000, retainedTopics: 250, links: 1 })
})

test('writes what follows from the events less often where each event changed another topic', async () => {
  const path = logPath()
  const writer = await openWriter({ path })
  const changes = (count: number) => Array.from({ length: count }, (_, i) => event(`t/${i}`, '1', { retain: true }))
  await writer.append(changes(9_999))
  expect(verifyLog(path)).toMatchObject({ ok: true, retainedTopics: 9_999, links: 0 })
  await writer.append(changes(1))
  expect(verifyLog(path)).toMatchObject({ ok: true, events: 10_000, links: 1 })
})

test('refuses more than it may hold while the disk is full', async () => {
  const writer = await openWriter({ path: logPath(), maxPages: 20, waitingBytes: 100_000 })
  const big = event('a', 'x'.repeat(60_000))
  const waiting = writer.append([big]).catch((error: unknown) => error)
  await expect(writer.append([big])).rejects.toThrow(/limit is 100000 bytes/)
  await eventually(() => expect(writer.status().writable).toBe(false))
  await writer.close()
  expect(await waiting).toBeInstanceOf(LogUnavailable)
})

test.each([
  ['another database', (path: string) => new Database(path).exec('CREATE TABLE t (a)').close()],
  ['text', (path: string) => writeFileSync(path, 'not a database at all, but long enough to have a header'.repeat(20))],
])('refuses a file that is %s', async (_, make) => {
  const path = logPath()
  make(path)
  const opening = openEventLogWriter({ path, clock: new FakeClock(), logger: silentLogger })
  await expect(opening).rejects.toMatchObject({ code: 'log.foreign' })
})

test.each([1, 99])('refuses a log of schema version %d, says so, and leaves it as it is', async (version) => {
  const path = logPath()
  const writer = await openWriter({ path })
  await writer.append([event('a', '1', { retain: true })])
  await writer.close()
  new Database(path).exec(`PRAGMA user_version = ${version}`).close()
  const before = readFileSync(path)
  const opening = openEventLogWriter({ path, clock: new FakeClock(), logger: silentLogger })
  const refusal = {
    code: 'log.foreign',
    message: `The event log ${path} has schema version ${version}; this program reads version 3.`,
    remediation: expect.stringContaining('version of the program that wrote it'),
  }
  await expect(opening).rejects.toMatchObject(refusal)
  expect(() => openReader(path)).toThrow(refusal.message)
  expect(readFileSync(path).equals(before)).toBe(true)
})

test('makes the directories above the log', async () => {
  const path = `${logPath()}/deeper/event-log.db`
  await openWriter({ path })
  expect(existsSync(path)).toBe(true)
})

test('a thread that dies is replaced, and every append is recorded once', async () => {
  const path = logPath()
  const clock = new FakeClock()
  const threads: Worker[] = []
  const statuses: boolean[] = []
  const writer = await openEventLogWriter({
    path,
    clock,
    logger: silentLogger,
    onStatus: ({ writable }) => statuses.push(writable),
    startThread(data) {
      const thread = startWriterThread(data)
      threads.push(thread)
      return thread
    },
  })
  onTestFinished(() => writer.close())
  const appended: Promise<unknown>[] = []
  for (let death = 0; death < 5; death++) {
    // Death may meet the commit before, within or after its transaction.
    for (let i = 0; i < 20; i++) appended.push(writer.append([event(`death/${death}`, `${death}-${i}`)]))
    await threads.at(-1)?.terminate()
    await eventually(async () => {
      await clock.advance(500)
      expect([threads.length, writer.status().writable]).toEqual([death + 2, true])
    })
  }
  await Promise.all(appended)
  expect(threads.length).toBe(6)
  expect(statuses).toContain(false)
  const read = openReader(path).read({ after: 0, limit: 1000 })
  expect(read.map(({ payload }) => Buffer.from(payload).toString())).toEqual(
    Array.from({ length: 100 }, (_, i) => `${Math.trunc(i / 20)}-${i % 20}`),
  )
  expect(verifyLog(path).problems).toEqual([])
})
