import { copyFileSync, existsSync, linkSync, readdirSync, renameSync, rmSync, utimesSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { verifyLog } from '../../event-log/verify.js'
import type { LogStatus } from '../../events/system/log-status.js'
import { eventually } from '../support/eventually.js'
import { event, logPath, openReader, openWriter } from './log.js'

const BESIDE = ['-wal', '-shm']

const removals = [
  ['the log alone', (path: string) => rmSync(path)],
  ['the log and the files beside it', (path: string) => ['', ...BESIDE].forEach((end) => void rmSync(`${path}${end}`))],
  ['its whole directory', (path: string) => rmSync(dirname(path), { recursive: true })],
  ['only the last commits beside it', (path: string) => rmSync(`${path}-wal`)],
] as const

test.each(
  removals.flatMap(([what, remove]) => [
    [what, 'just made', remove] as const,
    [what, 'unchanged for long', remove] as const,
  ]),
)('nothing is lost when %s is removed from a directory %s while it is written', async (_, age, remove) => {
  const path = join(logPath(), 'home', 'event-log.db')
  const statuses: LogStatus[] = []
  const writer = await openWriter({ path, onStatus: (status) => statuses.push(status) })
  const reader = openReader(path)
  await writer.append(Array.from({ length: 1200 }, (_, i) => event(`t/${i % 5}`, `${i}`, { retain: true })))
  expect(reader.lastPosition()).toBe(1200)
  if (age === 'unchanged for long') {
    utimesSync(dirname(path), 0, 0)
    await writer.append([])
  }
  remove(path)
  const appended = await Promise.all([1, 2, 3].map((n) => writer.append([event('after', `${n}`)])))
  expect(appended.map(({ firstPosition }) => firstPosition)).toEqual([1201, 1202, 1203])
  // What a start would find now.
  expect(verifyLog(path)).toMatchObject({ ok: true, events: 1203, retainedTopics: 5 })
  // Who has read it from before reads on.
  expect(reader.read({ after: 1200, limit: 9 }).map(({ topic }) => topic)).toEqual(['after', 'after', 'after'])
  expect(reader.retained('#').length).toBe(5)
  expect(statuses.map(({ writable }) => writable)).toEqual([true, false, true])
  expect(statuses[1]?.reason).toBe(`${path} was removed; it is written anew from the open file`)
  await writer.append([event('after', '4')])
  expect(reader.lastPosition()).toBe(1204)
})

test('a log that is removed while nothing is written comes back by itself', async () => {
  const path = logPath()
  const writer = await openWriter({ path })
  await writer.append([event('a')])
  rmSync(path)
  await eventually(() => expect(existsSync(path)).toBe(true))
  expect(verifyLog(path)).toMatchObject({ ok: true, events: 1 })
})

test('a log that is removed just before it is closed comes back', async () => {
  const path = logPath()
  const writer = await openWriter({ path })
  await writer.append([event('a')])
  rmSync(path)
  await writer.close()
  expect(verifyLog(path)).toMatchObject({ ok: true, events: 1 })
})

test('a process killed while it put the log back has lost nothing', async () => {
  const path = logPath()
  const writer = await openWriter({ path })
  await writer.append([event('a'), event('b')])
  await writer.close()
  renameSync(path, `${path}.restored`)
  const next = await openWriter({ path })
  expect((await next.append([event('c')])).firstPosition).toBe(3)
  expect(existsSync(`${path}.restored`)).toBe(false)
})

test('when another file takes its place nothing is acknowledged, what was recorded is saved, and it goes on when the log is back', async () => {
  const path = logPath()
  const strange = logPath()
  const stranger = await openWriter({ path: strange })
  await stranger.append([event('strange'), event('strange')])
  await stranger.close()
  const writer = await openWriter({ path })
  const reader = openReader(path)
  await writer.append([event('a')])
  linkSync(path, `${path}.aside`)
  const copy = `${path}.copy`
  copyFileSync(strange, copy)
  renameSync(copy, path)
  let acknowledged = false
  const appended = writer.append([event('b')]).then(() => {
    acknowledged = true
  })
  await eventually(() => expect(writer.status().writable).toBe(false))
  expect(writer.status().reason).toMatch(/was replaced by another file; what was recorded is in .*saved-\d\.db/)
  expect(acknowledged).toBe(false)
  const saved = readdirSync(dirname(path)).find((name) => name.includes('.saved-'))
  expect(verifyLog(join(dirname(path), saved ?? '')).ok).toBe(true)
  expect(reader.read({ after: 0, limit: 9 }).map(({ topic }) => topic)).toEqual(['a', 'b'])
  renameSync(`${path}.aside`, path)
  await appended
  expect(writer.status().writable).toBe(true)
  expect(verifyLog(path)).toMatchObject({ ok: true, events: 2 })
})
