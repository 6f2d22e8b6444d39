import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { nasHealthCommand, nasSetupCommand, uploadRunCommand } from '../../../../events/nas/commands.js'
import { InvalidNasConfig } from '../../../../events/nas/errors.js'
import { temporaryDirectory } from '../../../support/temporary-directory.js'
import { run } from '../../support/given-runs.js'
import { startTestGateway, type TestGateway } from '../../support/start-test-gateway.js'

const PASSWORD = 'hunter2-never-seen'
const setup = { host: 'nas.local', share: 'experiments', username: 'lab', password: PASSWORD }

let gateway: TestGateway
let spoolDirectory: string
beforeEach(async () => {
  spoolDirectory = join(temporaryDirectory(), 'spool')
  gateway = await startTestGateway({ spoolDirectory })
})
afterEach(() => gateway.stop())

test('a setup reaches the services by a private file and not by message, answer or log', async () => {
  let spooled: unknown
  let mode = 0
  const orders = await gateway.serve(nasSetupCommand, ({ spool }) => {
    const path = join(spoolDirectory, String(spool))
    spooled = JSON.parse(readFileSync(path, 'utf8'))
    mode = statSync(path).mode & 0o777
    return { ok: true, last_checked: '2026-01-02T03:04:05.000Z', message: 'ok' }
  })
  const answer = await gateway.send('POST', '/nas/setup', { ...setup, retention_days: '7' })
  expect([answer.status, answer.json]).toEqual([200, { ok: true, message: 'ok' }])
  expect([spooled, mode]).toEqual([{ ...setup, retention_days: 7 }, 0o600])
  expect(orders).toEqual([{ id: expect.any(String), spool: expect.stringMatching(/^[0-9a-f-]{36}\.json$/) }])
  expect(statSync(spoolDirectory).mode & 0o777).toBe(0o700)
  expect(JSON.stringify([gateway.broker.published, gateway.lines])).not.toContain(PASSWORD)
})

test('a setup that the services refuse leaves no file and answers with their reason', async () => {
  await gateway.serve(nasSetupCommand, () => {
    throw new InvalidNasConfig("host 'a b' may hold letters only.")
  })
  const answer = await gateway.send('POST', '/nas/setup', { ...setup, host: 'a b' })
  expect([answer.status, answer.json]).toMatchObject([400, { code: 'nas.invalid_config' }])
  expect(readdirSync(spoolDirectory)).toEqual([])
})

test.each([
  ['a missing host', { share: 's', username: 'u', password: PASSWORD }],
  ['a password of the wrong type', { ...setup, password: [PASSWORD] }],
  ['retention that is no number', { ...setup, retention_days: 'long' }],
])('a setup with %s answers 422 without repeating the password', async (_case, body) => {
  const answer = await gateway.send('POST', '/nas/setup', body)
  expect([answer.status, answer.json]).toMatchObject([422, { code: 'request.validation_error' }])
  expect(answer.text).not.toContain(PASSWORD)
})

test('health answers what the services found', async () => {
  const health = { ok: false, last_checked: null, message: 'not configured' }
  await gateway.serve(nasHealthCommand, () => health)
  expect((await gateway.get('/nas/health')).json).toEqual(health)
})

test('an upload of a known run is ordered, of an unknown one refused', async () => {
  gateway.givenRun(run('run-1'))
  const answer = {
    ok: true as const,
    enqueued: true,
    run_id: 'run-1',
    message: 'queued',
    uploaded: false,
    last_error: null,
  }
  const orders = await gateway.serve(uploadRunCommand, () => answer)
  expect((await gateway.send('POST', '/runs/run-1/upload')).json).toEqual(answer)
  expect(await gateway.send('POST', '/runs/run-2/upload')).toMatchObject({
    status: 404,
    json: { code: 'runs.not_found' },
  })
  expect(orders).toMatchObject([{ run_id: 'run-1' }])
})
