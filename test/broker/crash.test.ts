import { once } from 'node:events'
import { expect, test } from 'vitest'
import { openEventLogReader } from '../../event-log/reader.js'
import { verifyLog } from '../../event-log/verify.js'
import { eventually } from '../support/eventually.js'
import { temporaryDirectory } from '../support/temporary-directory.js'
import { spawnBroker } from './spawn-broker.js'
import { connect, type Inbox, inboxOf } from './test-broker.js'

test('after kill -9 under load every acknowledged event is in the log, without a gap, and a session misses nothing', async () => {
  const home = temporaryDirectory()
  const path = `${home}/event-log.db`
  const acknowledged: string[] = []
  const seen: string[] = []
  for (let life = 0; life < 3; life++) {
    const { child, port, wsPort } = await spawnBroker(home)
    await connect({ port, wsPort }, { clientId: 'dashboard', clean: false }, (opening) => {
      const inbox = inboxOf(opening)
      opening.once('close', () => seen.push(...inbox.texts))
      if (life === 0) opening.once('connect', () => opening.subscribe('lab/#', { qos: 1 }))
    })
    const publishers = await Promise.all([0, 1, 2].map(() => connect({ port, wsPort })))
    let acknowledgedNow = 0
    publishers.forEach((publisher, p) => {
      for (let i = 0; i < 400; i++) {
        const text = `${life}.${p}.${i}`
        publisher.publish(`lab/${i % 10}`, text, { qos: i % 2 === 0 ? 1 : 2, retain: i % 3 === 0 }, (error) => {
          if (error) return
          acknowledged.push(text)
          acknowledgedNow++
        })
      }
    })
    await eventually(() => expect(acknowledgedNow).toBeGreaterThan(100))
    child.kill('SIGKILL')
    await once(child, 'exit')
  }

  expect(verifyLog(path).problems).toEqual([])
  const reader = openEventLogReader(path)
  const logged = reader.read({ after: 0, limit: 1_000_000 }).map(({ payload }) => Buffer.from(payload).toString())
  reader.close()
  expect(acknowledged.filter((text) => !logged.includes(text))).toEqual([])

  const { port, wsPort } = await spawnBroker(home)
  const missing = (texts: readonly string[]): string[] => {
    const received = new Set([...seen, ...texts].map((text) => text.split('=')[1]))
    return logged.filter((text) => !received.has(text))
  }
  let inbox: Inbox | undefined
  await connect({ port, wsPort }, { clientId: 'dashboard', clean: false }, (opening) => {
    inbox = inboxOf(opening)
  })
  await eventually(() => expect(missing(inbox?.texts ?? [])).toEqual([]))
}, 120_000)
