import { Aedes } from 'aedes'
import { expect, test } from 'vitest'
import { assertInternals } from '../../broker/aedes-internals.js'
import { recordingLogger } from '../support/recording-logger.js'

test('the Aedes installed has what the broker relies on, in the version it was checked with', () => {
  const logger = recordingLogger()
  assertInternals(new Aedes(), logger)
  expect(logger.lines).toEqual([])
})

test('an Aedes that lacks something is refused, with the versions', () => {
  class Other extends Aedes {
    get version(): string {
      return '9.9.9'
    }
  }
  const broker = new Other()
  const handle = broker.handle
  broker.handle = (conn, request) => {
    const client = handle(conn, request)
    Reflect.set(Reflect.get(client, '_parser'), 'parse', undefined)
    return client
  }
  expect(() => assertInternals(broker, recordingLogger())).toThrow(
    'Aedes 9.9.9 has no Client._parser.parse: this broker was checked with 1.2.0 and relies on it',
  )
})

test('another version that has everything is only noted', () => {
  class Other extends Aedes {
    get version(): string {
      return '1.2.1'
    }
  }
  const logger = recordingLogger()
  assertInternals(new Other(), logger)
  expect(logger.lines).toMatchObject([{ level: 'warn', fields: { found: '1.2.1', checked: '1.2.0' } }])
})
