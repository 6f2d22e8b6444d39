import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { mergedConfigEvent, REDACTED, writeUnitConfigCommand } from '../../../../events/config/config.js'
import { ConfigNotWritten, ConfigUnreadable, MalformedConfig } from '../../../../events/config/errors.js'
import type { ErrorRecord } from '../../../../events/core/errors.js'
import type { TestEvent } from '../../../support/memory-log.js'
import { temporaryDirectory } from '../../../support/temporary-directory.js'
import { startTestGateway, type TestGateway } from '../../support/start-test-gateway.js'

let gateway: TestGateway
let home: string
let unitConfigPath: string
let configSecretsPath: string
beforeEach(async () => {
  home = temporaryDirectory()
  unitConfigPath = join(home, 'unit_config.ini')
  configSecretsPath = join(home, 'secrets.json')
  gateway = await startTestGateway({ unitConfigPath, configSecretsPath, spoolDirectory: join(home, 'spool') })
})
afterEach(() => gateway.stop())

const MERGED = '/unit_api/config/merged'
const SPECIFIC = '/unit_api/config/specific'

const sections = { mqtt: { username: 'pi', password: REDACTED }, notes: { flag: null, ['__proto__']: 'x' } }
const merged = (error: ErrorRecord | null = null): TestEvent => ({
  topic: mergedConfigEvent.topic({ unit: 'u1' }),
  payload: { sections, error, timestamp: '2026-01-02T03:04:05.000Z' },
})

describe('the merged configuration', () => {
  test('is that of the services, with what events leave out', async () => {
    writeFileSync(configSecretsPath, JSON.stringify({ sections: { mqtt: { password: 'p' } }, digests: {} }))
    gateway.given(merged())
    const { status, text } = await gateway.get(MERGED)
    expect(status).toBe(200)
    expect(text).toBe('{"mqtt":{"username":"pi","password":"p"},"notes":{"flag":null,"__proto__":"x"}}')
  })

  test('stays redacted without the private file', async () => {
    gateway.given(merged())
    expect((await gateway.get(MERGED)).json).toMatchObject({ mqtt: { password: REDACTED } })
  })

  test('of a broken file is 500 with the cause, and no more than that fails', async () => {
    gateway.given(merged({ code: 'config.malformed', family: 'input', message: 'config.ini: Line 3: it is odd.' }))
    const { status, json } = await gateway.get(MERGED)
    expect([status, json]).toEqual([
      500,
      {
        error: 'Failed to read merged config.',
        status: 500,
        cause: 'config.ini: Line 3: it is odd.',
        remediation: expect.stringContaining('config.ini'),
      },
    ])
    expect((await gateway.get('/unit_api/health')).status).toBe(200)
    expect((await gateway.get(SPECIFIC)).status).toBe(200)
  })

  test('before the services told it is asked for again', async () => {
    expect((await gateway.get(MERGED)).status).toBe(503)
  })
})

describe('the file of the unit', () => {
  test('is its text, byte for byte', async () => {
    const text = '# mine\r\n[mqtt]\npassword=p – ü\n\n'
    writeFileSync(unitConfigPath, text)
    const answer = await gateway.get(SPECIFIC)
    expect([answer.status, answer.text]).toEqual([200, text])
    expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    expect(answer.headers.get('cache-control')).toBe('public, max-age=0')
  })

  test('is empty when there is none', async () => {
    const { status, text } = await gateway.get(SPECIFIC)
    expect([status, text]).toEqual([200, ''])
  })

  test('that is a pipe is 500 at once', async () => {
    execFileSync('mkfifo', [unitConfigPath])
    expect((await gateway.get(SPECIFIC)).status).toBe(500)
  })

  test.each(['POST', 'PATCH'])('%s hands the text over where nobody else reads it', async (method) => {
    const texts: unknown[] = []
    const orders = await gateway.serve(writeUnitConfigCommand, ({ spool }) => {
      texts.push(JSON.parse(readFileSync(join(home, 'spool', spool), 'utf8')))
      return {}
    })
    const code = '[mqtt]\npassword=s3cr3t\n'
    const { status, json } = await gateway.send(method, SPECIFIC, { code })
    expect([status, json]).toEqual([200, { status: 'success' }])
    expect(texts).toEqual([{ code }])
    expect(orders).toMatchObject([{ client: 'REST from 127.0.0.1' }])
    expect(JSON.stringify(gateway.broker.published)).not.toContain('s3cr3t')
    expect(readdirSync(join(home, 'spool'))).toEqual([])
  })

  test.each([
    [new MalformedConfig('[a] stands twice.'), 400],
    [new ConfigUnreadable('config.ini: Line 1.'), 500],
    [new ConfigNotWritten('unit_config.ini could not be written: ENOSPC.'), 500],
  ])('that is refused by %s is %i in its words', async (error, expected) => {
    await gateway.serve(writeUnitConfigCommand, () => {
      throw error
    })
    const { status, json } = await gateway.send('POST', SPECIFIC, { code: '' })
    expect([status, json]).toMatchObject([expected, { error: error.message, status: expected }])
  })

  test.each(['', '[]', '{}', '{"code":5}', '{"code":"","more":1}'])(
    'a body %j is 400, and nothing is ordered',
    async (body) => {
      const orders = await gateway.serve(writeUnitConfigCommand, () => ({}))
      const { status, json } = await gateway.send('POST', SPECIFIC, body)
      expect([status, (json as { error: string }).error]).toEqual([400, 'Invalid request body.'])
      expect(orders).toEqual([])
    },
  )
})
