import { once } from 'node:events'
import { existsSync, rmSync } from 'node:fs'
import { expect, test } from 'vitest'
import { openEventLogReader } from '../../event-log/reader.js'
import { verifyLog } from '../../event-log/verify.js'
import { eventually } from '../support/eventually.js'
import { temporaryDirectory } from '../support/temporary-directory.js'
import { spawnBroker } from './spawn-broker.js'
import { connect, inboxOf } from './test-broker.js'

test('events acknowledged after the log was removed are there after kill -9, and a session misses none of them', async () => {
  const home = temporaryDirectory()
  const path = `${home}/event-log.db`
  const { child, ...ports } = await spawnBroker(home)
  const session = { clientId: 'dashboard', clean: false }
  const dashboard = await connect(ports, session)
  await dashboard.subscribeAsync('lab/#', { qos: 1 })
  const publisher = await connect(ports)
  const publish = (from: number) =>
    Promise.all(
      Array.from({ length: 500 }, (_, i) => publisher.publishAsync(`lab/${i % 10}`, `${from + i}`, { qos: 1 })),
    )
  await publish(0)
  await dashboard.endAsync()
  for (const end of ['', '-wal', '-shm']) rmSync(`${path}${end}`)
  await publish(500)
  expect(existsSync(path)).toBe(true)

  // The session reads on in the log that took the old one's place.
  let texts: readonly string[] = []
  await connect(ports, session, (opening) => {
    texts = inboxOf(opening).texts
  })
  await eventually(() => expect(texts.filter((text) => Number(text.split('=')[1]) >= 500).length).toBe(500))
  child.kill('SIGKILL')
  await once(child, 'exit')

  expect(verifyLog(path).problems).toEqual([])
  const reader = openEventLogReader(path)
  const logged = reader.read({ after: 0, limit: 2000 }).map(({ payload }) => Buffer.from(payload).toString())
  reader.close()
  expect(logged).toEqual(Array.from({ length: 1000 }, (_, i) => `${i}`))
}, 60_000)
