import { afterEach, expect, test } from 'vitest'
import { announceWebServer } from '../../http-gateway/announce.js'
import { FakeClock } from '../support/fake-clock.js'
import { MemoryBroker } from '../support/memory-bus.js'
import { silentLogger } from '../support/silent-logger.js'

const ends: (() => void)[] = []
afterEach(() => {
  for (const end of ends.splice(0)) end()
})

test.each([
  ['127.0.0.1', false, 'http://127.0.0.1:8000'],
  ['0.0.0.0', false, 'http://127.0.0.1:8000'],
  ['::', true, 'https://127.0.0.1:8000'],
  ['fe80::1', false, 'http://[fe80::1]:8000'],
  ['192.168.1.4', true, 'https://192.168.1.4:8000'],
])(
  'a web server on %s is told as programs on the computer reach it, and again when the broker is back',
  async (host, isTls, url) => {
    const broker = new MemoryBroker()
    const deps = { bus: broker.connect(), unit: 'u1', clock: new FakeClock(), logger: silentLogger }
    ends.push(announceWebServer(deps, { host, port: 8000, isTls }))
    expect(broker.published).toMatchObject([{ topic: 'system/u1/web_server', retain: true }])
    expect(JSON.parse(broker.published[0]?.payload ?? '')).toMatchObject({ url })
    broker.setConnected(false)
    broker.setConnected(true)
    expect(broker.published).toHaveLength(2)
  },
)
