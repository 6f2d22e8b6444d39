import { existsSync, truncateSync, writeFileSync } from 'node:fs'
import Database from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import { whatIsIntact } from '../../event-log/intact-part.js'
import { repairLog } from '../../event-log/repair.js'
import { verifyLog } from '../../event-log/verify.js'
import { lastReadable, overwritePage, writtenLog } from './damaged-log.js'
import { event, logPath, openReader, openWriter } from './log.js'

const NOW = new Date('2026-11-21T18:00:00.000Z')

describe.each(['leaf', 'interior'] as const)('a log with an overwritten %s page', (kind) => {
  test('is not opened for writing; verify tells the damage; repair keeps what comes before it', async () => {
    const path = await writtenLog(20_000)
    overwritePage(path, kind)
    const readable = lastReadable(path)
    expect(readable).toBeGreaterThan(100)
    expect(readable).toBeLessThan(20_000)

    const damaged = { code: 'log.damaged', message: expect.stringContaining(`The event log ${path} is damaged`) }
    await expect(openWriter({ path })).rejects.toMatchObject(damaged)
    expect(() => openReader(path).read({ after: 0, limit: 20_000 })).toThrow(expect.objectContaining(damaged))
    expect(whatIsIntact(path)).toMatch(`Its events 1 to ${readable} can be read, the last of them of 2026-`)
    const { ok, problems, events } = verifyLog(path)
    expect([ok, events]).toEqual([false, readable])
    expect(problems.join('\n')).toContain(`what comes after position ${readable} cannot be read`)

    const report = repairLog(path, NOW)
    expect(report).toMatchObject({ kept: readable, original: expect.stringContaining('.damaged-20261121T180000Z.db') })
    expect(report.lost?.last).toBe(20_000)
    expect(verifyLog(path)).toMatchObject({ ok: true, events: readable, retainedTopics: 50 })
    expect(lastReadable(report.original)).toBe(readable)
    const writer = await openWriter({ path })
    expect((await writer.append([event('next')])).firstPosition).toBe(readable + 1)
  })
})

test('a log that was cut off is not opened, and repair keeps what is there', async () => {
  const path = await writtenLog(20_000)
  truncateSync(path, 600 * 1024)
  await expect(openWriter({ path })).rejects.toMatchObject({ code: 'log.damaged' })
  const { kept, lost } = repairLog(path, NOW)
  expect(kept).toBeGreaterThan(500)
  // The tables at its end are gone too: nothing tells what there was.
  expect(lost === null || lost.last > kept).toBe(true)
  expect(verifyLog(path)).toMatchObject({ ok: true, events: kept })
})

test('repair keeps the links of what it keeps, and which messages wait for their release', async () => {
  const path = logPath()
  const writer = await openWriter({ path })
  const received = (messageId: number) => event('r', 'x', { qos: 2, client: 'c', messageId })
  await writer.append([1, 2, 3].map(received))
  for (let i = 0; i < 100; i++) await writer.append(Array.from({ length: 50 }, () => event('t', 'x'.repeat(50))))
  await writer.append([received(4), received(5)], [{ client: 'c', messageId: 2 }])
  await writer.append([], [{ client: 'c', messageId: 4 }])
  await writer.close()
  const links = (): unknown => new Database(path).prepare('SELECT * FROM links').all()
  const before = links()
  const db = new Database(path)
  db.exec("DELETE FROM retained; INSERT INTO retained VALUES ('never/there', 3)")
  db.close()
  const report = repairLog(path, NOW)
  expect(report).toMatchObject({ kept: 5005, lost: null })
  expect(links()).toEqual(before)
  expect(verifyLog(path)).toMatchObject({ ok: true, retainedTopics: 0 })
  expect(
    openReader(path)
      .received()
      .map(({ messageId }) => messageId),
  ).toEqual([1, 3, 5])
})

test('where nothing can be read, nothing is replaced', async () => {
  const path = await writtenLog(100)
  writeFileSync(path, Buffer.alloc(50_000, 0xa5))
  expect(() => repairLog(path, NOW)).toThrow(/not a database/)
  expect(whatIsIntact(path)).toBe('None of its events can be read.')
  expect(existsSync(path)).toBe(true)
})

test('an event that was changed is found by the hash chain, and its neighbours stay', async () => {
  const path = await writtenLog(3000)
  const db = new Database(path)
  db.exec("UPDATE recorded SET payload = x'41' WHERE position = 1500")
  db.close()
  expect(verifyLog(path).problems).toEqual(['Events from position 1001 to 2000 are not those that were recorded.'])
})
