import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  canMount,
  freePort,
  PASSWORD,
  READ_ONLY_SHARE,
  type Samba,
  SHARE,
  SMALL_SHARE,
  sambaIsInstalled,
  startSamba,
} from '../services/nas-upload/support/samba.js'
import { type BoxClient, boxClient } from '../support/box-client.js'
import { eventually } from '../support/eventually.js'
import { createLabHome, type Lab } from '../support/start-lab.js'
import { until } from '../support/until.js'

const WRONG_PASSWORD = 'a wrong one: 93 71'

interface Queued {
  readonly enqueued: boolean
  readonly uploaded: boolean
  readonly last_error: string | null
}

describe.skipIf(!sambaIsInstalled())('a whole unit and a Samba server', { timeout: 60_000 }, () => {
  const home = createLabHome()
  /** Everything the unit said: answers, standard output. */
  const said: string[] = []
  let samba: Samba
  let lab: Lab
  let box: BoxClient

  const start = async (): Promise<void> => {
    lab = await home.start()
    box = boxClient(lab.url)
    await until(async () => ((await box.get('/devices')).json as unknown[]).length === 2, 'two slots')
  }
  beforeAll(async () => {
    samba = await startSamba()
    await start()
  }, 150_000)
  afterAll(async () => {
    await home.remove()
    await samba?.stop()
  })

  const ask = async (method: string, path: string, body?: object): Promise<unknown> => {
    const { status, text, json } = await box.call(method, path, body)
    said.push(text)
    expect(status, text).toBe(200)
    return json
  }
  const setUp = (changes: object = {}) =>
    ask('POST', '/nas/setup', {
      host: samba.host,
      share: SHARE,
      username: samba.username,
      password: PASSWORD,
      base_subdir: 'Box01',
      retention_days: 14,
      ...changes,
    })
  const health = () => ask('GET', '/nas/health')
  const upload = async (runId: string) => (await ask('POST', `/runs/${runId}/upload`)) as Queued

  /** Measures for some seconds, one run after the other in directories of their own. */
  const measure = async (runId: string, seconds = 0.2): Promise<void> => {
    await box.order({
      devices: ['slot01'],
      modes: ['OCP'],
      params_by_mode: { OCP: { duration: seconds } },
      experiment_name: 'Exp',
      client_datetime: runId,
      run_name: runId,
      make_plot: false,
    })
    expect(await box.ended(runId)).toMatchObject({ status: 'done' })
  }
  const csv = (runId: string): string => join('Exp', runId, 'slot01/OCP/Exp_slot01_OCP.csv')
  const local = (runId: string): string => join(home.home, 'runs', csv(runId))
  const remote = (runId: string): string => join(samba.directory(SHARE), 'Box01', csv(runId))
  const marker = (runId: string, name: string): string => join(home.home, 'runs', 'Exp', runId, name)
  const failureOf = (runId: string) =>
    eventually(async () => {
      expect(existsSync(marker(runId, 'UPLOAD_FAILED'))).toBe(true)
      const { last_error: reason } = await upload(runId)
      expect(reason).not.toBeNull()
      return reason
    }, 60_000)
  const arrived = (runId: string) =>
    eventually(() => {
      expect(existsSync(marker(runId, 'UPLOAD_DONE'))).toBe(true)
      expect(existsSync(remote(runId))).toBe(true)
    }, 60_000)

  test('without a share nothing is queued, and the answer says so', async () => {
    await measure('early')
    expect(await upload('early')).toMatchObject({
      enqueued: false,
      uploaded: false,
      message: expect.stringMatching(/No .* share/),
    })
    expect(await health()).toEqual({ ok: false, last_checked: null, message: 'not configured' })
  })

  test.each([
    ['a wrong password', { password: WRONG_PASSWORD }, /refuses this user name or password/],
    ['an unknown share', { share: 'missing' }, /no share of this name/],
    ['a read-only share', { share: READ_ONLY_SHARE }, /may not write|read-only/],
  ])('a setup with %s says so, and so does the health of it', async (_title, changes, reason) => {
    expect(await setUp(changes)).toEqual({ ok: false, message: expect.stringMatching(reason) })
    expect(await health()).toMatchObject({ ok: false, last_checked: expect.any(String) })
  })

  test('a host where nobody listens is named as such', async () => {
    const nobody = `127.0.0.1:${await freePort()}`
    expect(await setUp({ host: nobody })).toEqual({ ok: false, message: expect.stringMatching(/no SMB service/) })
    expect(await health()).toMatchObject({ ok: false, message: expect.stringMatching(/no SMB service/) })
  })

  test('a run is uploaded by itself once it is done, an earlier one when it is asked for', async () => {
    expect(await setUp()).toEqual({ ok: true, message: 'ok' })
    expect(await health()).toEqual({ ok: true, last_checked: expect.any(String), message: 'ok' })
    await measure('later')
    await arrived('later')
    expect(readFileSync(remote('later'), 'utf8')).toBe(readFileSync(local('later'), 'utf8'))
    expect(existsSync(remote('early'))).toBe(false)
    expect(await upload('early')).toMatchObject({ enqueued: true })
    await arrived('early')
    expect(await upload('early')).toMatchObject({ uploaded: true, last_error: null })
    const { json } = await box.get('/runs/later/files')
    expect(json).toMatchObject({ files: ['slot01/OCP/Exp_slot01_OCP.csv', 'slot01/OCP/Exp_slot01_OCP.json'] })
  })

  test('an upload that the password stops says why and is done when the share is set up anew', async () => {
    await setUp({ password: WRONG_PASSWORD })
    await measure('refused')
    await upload('refused')
    expect(await failureOf('refused')).toMatch(/refuses this user name or password/)
    expect(existsSync(remote('refused'))).toBe(false)
    await setUp()
    await arrived('refused')
    await eventually(() => expect(existsSync(marker('refused', 'UPLOAD_FAILED'))).toBe(false))
  })

  test.skipIf(!canMount())('a full share is named, and the run arrives where there is room', async () => {
    expect(await setUp({ share: SMALL_SHARE })).toMatchObject({ ok: true })
    await measure('large', 3)
    expect(statSync(local('large')).size).toBeGreaterThan(256 * 1024)
    await upload('large')
    expect(await failureOf('large')).toMatch(/share is full/)
    await setUp()
    await arrived('large')
    expect(statSync(remote('large')).size).toBe(statSync(local('large')).size)
  })

  test('after its days an uploaded run leaves this computer and stays on the share', async () => {
    said.push(lab.output())
    expect(await lab.interrupt()).toBe(0)
    const done = marker('later', 'UPLOAD_DONE')
    writeFileSync(done, readFileSync(done, 'utf8').replace(/\d{4}-/, '2020-'))
    await start()
    await until(() => !existsSync(local('later')), 'the run to leave')
    await until(async () => (await box.get('/runs/later/zip')).status === 404, 'the archive to be gone')
    expect(await box.get('/runs/later/files')).toMatchObject({ status: 404, json: { code: 'runs.not_found' } })
    expect(await box.status('later')).toMatchObject({ status: 'done' })
    expect(await box.post('/runs/later/upload')).toMatchObject({ status: 409, json: { code: 'runs.not_complete' } })
    expect(existsSync(remote('later'))).toBe(true)
    expect(existsSync(local('early'))).toBe(true)
  })

  test('no password is in an event, a read model, a log, an answer or any file but the credentials', async () => {
    said.push(lab.output())
    const files = readdirSync(home.home, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
    const holding = (text: string) => files.filter((file) => readFileSync(file).includes(text))
    // The log's file can be searched: it holds the reason of the refused upload.
    expect(holding('refuses this user name or password').some((file) => file.includes('event-log.db'))).toBe(true)
    expect(holding(PASSWORD)).toEqual([join(home.home, '.smbcredentials_nas')])
    expect(holding(WRONG_PASSWORD)).toEqual([])
    expect(statSync(join(home.home, '.smbcredentials_nas')).mode & 0o777).toBe(0o600)
    for (const password of [PASSWORD, WRONG_PASSWORD]) expect(said.join('\n')).not.toContain(password)
  })
})
