import { once } from 'node:events'
import { expect, test } from 'vitest'
import { openEventLogReader } from '../../event-log/reader.js'
import { verifyLog } from '../../event-log/verify.js'
import { startHonestClient } from '../support/honest-client.js'
import { fuzzPackets } from '../support/packet-fuzzer.js'
import { temporaryDirectory } from '../support/temporary-directory.js'
import { spawnBroker } from './spawn-broker.js'

const CLIENTS = 600

test('mutated packets of hundreds of clients end their connections, not the broker, the log or an honest client', async () => {
  const home = temporaryDirectory()
  const { child, port, wsPort } = await spawnBroker(home)
  const stopHonest = await startHonestClient(port)
  let left = CLIENTS
  await fuzzPackets({ port, wsPort }, 1, () => left-- > 0)
  const { sent, received, lost } = await stopHonest()

  expect([child.exitCode, child.signalCode]).toEqual([null, null])
  expect(lost).toBe(0)
  const expected = Array.from({ length: sent }, (_, i) => String(i))
  expect(received).toEqual(expected)
  child.kill('SIGKILL')
  await once(child, 'exit')
  const path = `${home}/event-log.db`
  expect(verifyLog(path).problems).toEqual([])
  const reader = openEventLogReader(path)
  const logged = reader.read({ after: 0, limit: 1_000_000 })
  reader.close()
  const honest = logged
    .filter(({ client }) => client === 'honest')
    .map(({ payload }) => Buffer.from(payload).toString())
  expect(honest).toEqual(expected)
  // Some of it was valid.
  expect(logged.filter(({ client }) => client.startsWith('fuzz-')).length).toBeGreaterThan(CLIENTS / 10)
}, 120_000)
