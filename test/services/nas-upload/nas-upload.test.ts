import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import type { LabError } from '../../../events/core/errors.js'
import type { NasSetup } from '../../../events/nas/nas.js'
import { ShareFull, ShareUnreachable } from '../../../services/nas-upload/errors.js'
import type { NasTransport, UploadOrder } from '../../../services/nas-upload/transport.js'
import { temporaryDirectory } from '../../support/temporary-directory.js'
import { BOX, UNIT, UploadLab } from './support/upload-lab.js'

const PASSWORD = 'hunter2-never-seen'
const setup: NasSetup = {
  host: 'nas.local',
  share: 'experiments',
  username: 'lab',
  password: PASSWORD,
  retention_days: 7,
}
const DAY_MS = 86_400_000

/** A share that takes everything, unless told what is wrong with it. */
class FakeShare implements NasTransport {
  readonly name = 'smbclient'
  readonly uploads: UploadOrder[] = []
  failure: LabError | null = null

  async probe(): Promise<void> {
    if (this.failure !== null) throw this.failure
  }

  async upload(_config: unknown, order: UploadOrder): Promise<void> {
    if (this.failure !== null) throw this.failure
    this.uploads.push(order)
  }
}

let lab: UploadLab
afterEach(() => lab.stop())

const started = async (share: NasTransport | null = new FakeShare()): Promise<UploadLab> => {
  lab = new UploadLab(temporaryDirectory())
  await lab.start(share)
  return lab
}

/** A run that comes later in every respect is on the share: whatever would have been done about earlier ones has been done. */
const afterAnotherUpload = async (): Promise<void> => {
  lab.finishRun('run-9', { 'slot01/CV/a.csv': '9' })
  await lab.uploadEnded('run-9')
}

describe('setting up the share', () => {
  test('answers how the probe ended and says so to everybody, without the password', async () => {
    await started()
    expect(await lab.setUp(setup)).toMatchObject({ ok: true, message: 'ok' })
    const record = JSON.parse(lab.broker.retained.get(`system/${UNIT}/nas`)?.toString() ?? '') as unknown
    expect(record).toMatchObject({ configured: true, host: 'nas.local', share: 'experiments', ok: true })
    expect(JSON.stringify(lab.broker.published)).not.toContain(PASSWORD)
  })

  test('keeps the settings when the share cannot be reached, and says why', async () => {
    const share = new FakeShare()
    share.failure = new ShareUnreachable('The host is down.')
    await started(share)
    expect(await lab.setUp(setup)).toMatchObject({ ok: false, message: 'The host is down.' })
    expect(existsSync(lab.nasConfigPath)).toBe(true)
  })

  test('says what is missing on a computer that cannot reach shares', async () => {
    await started(null)
    expect(await lab.setUp(setup)).toMatchObject({ ok: false, message: expect.stringContaining('smbclient') })
  })

  test('finds a program that was installed while we run', async () => {
    lab = new UploadLab(temporaryDirectory())
    const installed: NasTransport[] = []
    await lab.startWith({ findTransport: async () => installed[0] ?? null })
    expect(await lab.setUp(setup)).toMatchObject({ ok: false })
    installed.push(new FakeShare())
    expect(await lab.request('nas_health')).toMatchObject({ ok: true, message: 'ok' })
  })

  test('consumes the spool file, also when its content is refused, and never quotes it', async () => {
    await started()
    for (const content of [{ ...setup, host: 'a b' }, { ...setup, password: 17 }, { password: PASSWORD }]) {
      const refused = lab.setUp(content as unknown as NasSetup)
      await expect(refused).rejects.toMatchObject({ code: 'nas.invalid_config' })
      await expect(refused).rejects.not.toThrow(PASSWORD)
      expect(readdirSync(lab.spoolDirectory)).toEqual([])
    }
    expect(existsSync(lab.nasConfigPath)).toBe(false)
  })

  test.each(['../secret.json', '/etc/passwd', 'secret.json', '', '0f8fad5b-d9cb-469f-a165-70867728950e.json/../x'])(
    'reads nothing but spool files: %s',
    async (spool) => {
      await started()
      const secret = join(lab.spoolDirectory, 'secret.json')
      writeFileSync(secret, JSON.stringify(setup))
      await expect(lab.request('nas_setup', { spool })).rejects.toMatchObject({ code: 'nas.invalid_config' })
      expect(existsSync(secret)).toBe(true)
    },
  )

  test('follows no link in the spool', async () => {
    await started()
    const target = join(lab.home, 'target.json')
    writeFileSync(target, JSON.stringify(setup))
    const name = '0f8fad5b-d9cb-469f-a165-70867728950e.json'
    symlinkSync(target, join(lab.spoolDirectory, name))
    await expect(lab.request('nas_setup', { spool: name })).rejects.toMatchObject({ code: 'nas.invalid_config' })
    expect(existsSync(target)).toBe(true)
  })

  test('deletes at start what nobody will ask for any more', async () => {
    lab = new UploadLab(temporaryDirectory())
    lab.spool(setup)
    await lab.start(new FakeShare())
    expect(readdirSync(lab.spoolDirectory)).toEqual([])
  })
})

test('health without a configuration says so', async () => {
  await started()
  expect(await lab.request('nas_health')).toEqual({ ok: false, last_checked: null, message: 'not configured' })
})

describe('a finished run', () => {
  test('is uploaded with exactly the files of its manifest', async () => {
    const share = new FakeShare()
    await started(share)
    await lab.setUp(setup)
    lab.finishRun('run-1', { 'slot01/CV/Exp_slot01_CV.csv': 'a,b\n1,2\n' })
    expect(await lab.uploadEnded('run-1')).toMatchObject({ status: 'done', attempts: 1, reason: null })
    expect(share.uploads).toEqual([
      {
        source: join(lab.runsRoot, 'Exp/run-1'),
        destination: 'Exp/run-1',
        files: [{ path: 'slot01/CV/Exp_slot01_CV.csv', bytes: 8 }],
      },
    ])
    const marker = readFileSync(join(lab.runsRoot, 'Exp/run-1/UPLOAD_DONE'), 'utf8')
    expect(marker).toMatch(/^2026-01-02T03:04:\d\d\.\d{3}Z run-1\n$/)
  })

  test.each(['failed', 'cancelled'] as const)('that %s is uploaded on demand only', async (status) => {
    await started()
    await lab.setUp(setup)
    lab.finishRun('run-1', { 'slot01/CV/a.csv': '1' }, { status })
    await afterAnotherUpload()
    expect(lab.uploads('run-1')).toEqual([])
    expect(await lab.request('upload_run', { run_id: 'run-1' })).toMatchObject({ enqueued: true, uploaded: false })
    expect(await lab.uploadEnded('run-1')).toMatchObject({ status: 'done' })
  })

  test('from before the share was set up stays where it is', async () => {
    await started()
    lab.finishRun('run-1', { 'slot01/CV/a.csv': '1' })
    await lab.clock.advance(60_000)
    await lab.setUp(setup)
    await afterAnotherUpload()
    expect(lab.uploads('run-1')).toEqual([])
  })

  test('leaves the reason of a failure in its directory until it is uploaded', async () => {
    const share = new FakeShare()
    await started(share)
    await lab.setUp(setup)
    share.failure = new ShareFull('The share is full.')
    lab.finishRun('run-1', { 'slot01/CV/a.csv': '1' })
    expect(await lab.uploadEnded('run-1')).toMatchObject({ status: 'failed', reason: 'The share is full.' })
    const directory = join(lab.runsRoot, 'Exp/run-1')
    expect(readFileSync(join(directory, 'UPLOAD_FAILED'), 'utf8')).toMatch(/Z run-1 The share is full\.\n$/)
    share.failure = null
    await lab.uploadEnded('run-1', 2)
    expect(readdirSync(directory).sort()).toEqual(['UPLOAD_DONE', 'slot01'])
  })

  test('whose upload a restart broke off is uploaded then, and one that is on the share is not', async () => {
    await started()
    await lab.setUp(setup)
    lab.finishRun('run-1', { 'slot01/CV/a.csv': '1' })
    lab.finishRun('run-2', { 'slot01/CV/a.csv': '2' })
    const done = await lab.uploadEnded('run-1')
    await lab.uploadEnded('run-2')
    await lab.stop()
    const topic = `potentiostat/${BOX}/run-1/upload`
    lab.broker.retained.set(topic, Buffer.from(JSON.stringify({ ...done, status: 'uploading', attempts: 0 })))
    const share = new FakeShare()
    await lab.start(share)
    await afterAnotherUpload()
    expect(share.uploads.map(({ destination }) => destination)).toEqual(['Exp/run-1', 'Exp/run-9'])
  })
})

describe('an upload on demand', () => {
  test('is not queued without a configuration', async () => {
    await started()
    lab.finishRun('run-1', { 'slot01/CV/a.csv': '1' })
    expect(await lab.request('upload_run', { run_id: 'run-1' })).toMatchObject({
      enqueued: false,
      message: 'No network share is configured.',
    })
  })

  test.each(['nobody', '..', '../Exp/x'])('of a run without files is refused: %s', async (runId) => {
    await started()
    await expect(lab.request('upload_run', { run_id: runId })).rejects.toMatchObject({ code: 'runs.not_complete' })
  })

  test('of a manifest that leads elsewhere is refused', async () => {
    await started()
    await lab.setUp(setup)
    mkdirSync(join(lab.runsRoot, '.benchlog'))
    for (const changes of [{ directory: '../..' }, { files: [{ path: '/etc/passwd', bytes: 1 }] }]) {
      lab.finishRun('run-1', {}, changes)
      await expect(lab.request('upload_run', { run_id: 'run-1' })).rejects.toMatchObject({ code: 'input.invalid' })
    }
  })
})

describe('retention', () => {
  const HOUR_MS = 3600_000
  const retired = (): readonly string[] =>
    lab.broker.published.map(({ topic }) => topic).filter((topic) => topic.endsWith('/retired'))
  const elapsedDays = (since: string): number => (lab.clock.now().getTime() - Date.parse(since)) / DAY_MS

  test('retires an uploaded run after the days configured, not before', async () => {
    await started()
    await lab.setUp(setup)
    lab.finishRun('run-1', { 'slot01/CV/a.csv': '1' })
    const { timestamp } = await lab.uploadEnded('run-1')
    await lab.until(() => retired().length > 0, HOUR_MS)
    expect(elapsedDays(timestamp)).toBeGreaterThan(7)
    expect(retired()).toEqual([`potentiostat/${BOX}/run-1/retired`])
    await expect.poll(() => lab.broker.retained.has(`potentiostat/${BOX}/run-1/upload`)).toBe(false)
    await expect.poll(() => readdirSync(join(lab.runsRoot, 'Exp/run-1'))).toEqual(['slot01'])
  })

  test('keeps what is not on the share, also in a shared directory', async () => {
    const share = new FakeShare()
    await started(share)
    await lab.setUp(setup)
    lab.finishRun('run-1', { 'slot01/CV/a.csv': '1' }, { directory: 'Exp/group', status: 'failed' })
    lab.finishRun('run-2', { 'slot02/CV/a.csv': '2' }, { directory: 'Exp/group' })
    await lab.uploadEnded('run-2')
    share.failure = new ShareFull('The share is full.')
    lab.finishRun('run-0', { 'slot03/CV/a.csv': '3' })
    await lab.uploadEnded('run-0')
    // Runs are looked through by id: the other two have been passed over when the last one is retired.
    await lab.until(() => retired().length > 0, HOUR_MS)
    expect(retired()).toEqual([`potentiostat/${BOX}/run-2/retired`])
    await expect.poll(() => readdirSync(join(lab.runsRoot, 'Exp/group')).sort()).toEqual(['slot01', 'slot02'])
  })
})
