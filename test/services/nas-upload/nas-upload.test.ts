import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import type { LabError } from '../../../events/core/errors.js'
import type { NasSetup } from '../../../events/nas/nas.js'
import { ShareFull, ShareUnreachable } from '../../../services/nas-upload/errors.js'
import type { NasTransport, UploadOrder } from '../../../services/nas-upload/transport.js'
import { temporaryDirectory } from '../../support/temporary-directory.js'
import { Bench, BOX, UNIT } from './support/bench.js'

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
  trouble: LabError | null = null

  async probe(): Promise<void> {
    if (this.trouble !== null) throw this.trouble
  }

  async upload(_config: unknown, order: UploadOrder): Promise<void> {
    if (this.trouble !== null) throw this.trouble
    this.uploads.push(order)
  }
}

let bench: Bench
afterEach(() => bench.stop())

const started = async (share: NasTransport | null = new FakeShare()): Promise<Bench> => {
  bench = new Bench(temporaryDirectory())
  await bench.start(share)
  return bench
}

/** A run that comes later in every respect is on the share: whatever would have been done about earlier ones has been done. */
const afterAnotherUpload = async (): Promise<void> => {
  bench.finishRun('run-9', { 'slot01/CV/a.csv': '9' })
  await bench.uploadEnded('run-9')
}

describe('setting up the share', () => {
  test('answers how the probe ended and says so to everybody, without the password', async () => {
    await started()
    expect(await bench.setUp(setup)).toMatchObject({ ok: true, message: 'ok' })
    const record = JSON.parse(bench.broker.retained.get(`system/${UNIT}/nas`)?.toString() ?? '') as unknown
    expect(record).toMatchObject({ configured: true, host: 'nas.local', share: 'experiments', ok: true })
    expect(JSON.stringify(bench.broker.published)).not.toContain(PASSWORD)
  })

  test('keeps the settings when the share cannot be reached, and says why', async () => {
    const share = new FakeShare()
    share.trouble = new ShareUnreachable('The host is down.')
    await started(share)
    expect(await bench.setUp(setup)).toMatchObject({ ok: false, message: 'The host is down.' })
    expect(existsSync(bench.nasConfigPath)).toBe(true)
  })

  test('says what is missing on a computer that cannot reach shares', async () => {
    await started(null)
    expect(await bench.setUp(setup)).toMatchObject({ ok: false, message: expect.stringContaining('smbclient') })
  })

  test('finds a program that was installed while we run', async () => {
    bench = new Bench(temporaryDirectory())
    const installed: NasTransport[] = []
    await bench.startWith({ findTransport: async () => installed[0] ?? null })
    expect(await bench.setUp(setup)).toMatchObject({ ok: false })
    installed.push(new FakeShare())
    expect(await bench.request('nas_health')).toMatchObject({ ok: true, message: 'ok' })
  })

  test('consumes the spool file, also when its content is refused, and never quotes it', async () => {
    await started()
    for (const content of [{ ...setup, host: 'a b' }, { ...setup, password: 17 }, { password: PASSWORD }]) {
      const refused = bench.setUp(content as unknown as NasSetup)
      await expect(refused).rejects.toMatchObject({ code: 'nas.invalid_config' })
      await expect(refused).rejects.not.toThrow(PASSWORD)
      expect(readdirSync(bench.spoolDirectory)).toEqual([])
    }
    expect(existsSync(bench.nasConfigPath)).toBe(false)
  })

  test.each(['../secret.json', '/etc/passwd', 'secret.json', '', '0f8fad5b-d9cb-469f-a165-70867728950e.json/../x'])(
    'reads nothing but spool files: %s',
    async (spool) => {
      await started()
      const secret = join(bench.spoolDirectory, 'secret.json')
      writeFileSync(secret, JSON.stringify(setup))
      await expect(bench.request('nas_setup', { spool })).rejects.toMatchObject({ code: 'nas.invalid_config' })
      expect(existsSync(secret)).toBe(true)
    },
  )

  test('follows no link in the spool', async () => {
    await started()
    const target = join(bench.home, 'target.json')
    writeFileSync(target, JSON.stringify(setup))
    const name = '0f8fad5b-d9cb-469f-a165-70867728950e.json'
    symlinkSync(target, join(bench.spoolDirectory, name))
    await expect(bench.request('nas_setup', { spool: name })).rejects.toMatchObject({ code: 'nas.invalid_config' })
    expect(existsSync(target)).toBe(true)
  })

  test('deletes at start what nobody will ask for any more', async () => {
    bench = new Bench(temporaryDirectory())
    bench.spool(setup)
    await bench.start(new FakeShare())
    expect(readdirSync(bench.spoolDirectory)).toEqual([])
  })
})

test('health without a configuration says so', async () => {
  await started()
  expect(await bench.request('nas_health')).toEqual({ ok: false, last_checked: null, message: 'not configured' })
})

describe('a finished run', () => {
  test('is uploaded with exactly the files of its manifest', async () => {
    const share = new FakeShare()
    await started(share)
    await bench.setUp(setup)
    bench.finishRun('run-1', { 'slot01/CV/Exp_slot01_CV.csv': 'a,b\n1,2\n' })
    expect(await bench.uploadEnded('run-1')).toMatchObject({ status: 'done', attempts: 1, reason: null })
    expect(share.uploads).toEqual([
      {
        source: join(bench.runsRoot, 'Exp/run-1'),
        destination: 'Exp/run-1',
        files: [{ path: 'slot01/CV/Exp_slot01_CV.csv', bytes: 8 }],
      },
    ])
    const marker = readFileSync(join(bench.runsRoot, 'Exp/run-1/UPLOAD_DONE'), 'utf8')
    expect(marker).toMatch(/^2026-01-02T03:04:\d\d\.\d{3}Z run-1\n$/)
  })

  test.each(['failed', 'cancelled'] as const)('that %s is uploaded on demand only', async (status) => {
    await started()
    await bench.setUp(setup)
    bench.finishRun('run-1', { 'slot01/CV/a.csv': '1' }, { status })
    await afterAnotherUpload()
    expect(bench.uploads('run-1')).toEqual([])
    expect(await bench.request('upload_run', { run_id: 'run-1' })).toMatchObject({ enqueued: true, uploaded: false })
    expect(await bench.uploadEnded('run-1')).toMatchObject({ status: 'done' })
  })

  test('from before the share was set up stays where it is', async () => {
    await started()
    bench.finishRun('run-1', { 'slot01/CV/a.csv': '1' })
    await bench.clock.advance(60_000)
    await bench.setUp(setup)
    await afterAnotherUpload()
    expect(bench.uploads('run-1')).toEqual([])
  })

  test('leaves the reason of a failure in its directory until it is uploaded', async () => {
    const share = new FakeShare()
    await started(share)
    await bench.setUp(setup)
    share.trouble = new ShareFull('The share is full.')
    bench.finishRun('run-1', { 'slot01/CV/a.csv': '1' })
    expect(await bench.uploadEnded('run-1')).toMatchObject({ status: 'failed', reason: 'The share is full.' })
    const directory = join(bench.runsRoot, 'Exp/run-1')
    expect(readFileSync(join(directory, 'UPLOAD_FAILED'), 'utf8')).toMatch(/Z run-1 The share is full\.\n$/)
    share.trouble = null
    await bench.uploadEnded('run-1', 2)
    expect(readdirSync(directory).sort()).toEqual(['UPLOAD_DONE', 'slot01'])
  })

  test('whose upload a restart broke off is uploaded then, and one that is on the share is not', async () => {
    await started()
    await bench.setUp(setup)
    bench.finishRun('run-1', { 'slot01/CV/a.csv': '1' })
    bench.finishRun('run-2', { 'slot01/CV/a.csv': '2' })
    const done = await bench.uploadEnded('run-1')
    await bench.uploadEnded('run-2')
    await bench.stop()
    const topic = `potentiostat/${BOX}/run-1/upload`
    bench.broker.retained.set(topic, Buffer.from(JSON.stringify({ ...done, status: 'uploading', attempts: 0 })))
    const share = new FakeShare()
    await bench.start(share)
    await afterAnotherUpload()
    expect(share.uploads.map(({ destination }) => destination)).toEqual(['Exp/run-1', 'Exp/run-9'])
  })
})

describe('an upload on demand', () => {
  test('is not queued without a configuration', async () => {
    await started()
    bench.finishRun('run-1', { 'slot01/CV/a.csv': '1' })
    expect(await bench.request('upload_run', { run_id: 'run-1' })).toMatchObject({
      enqueued: false,
      message: 'No network share is configured.',
    })
  })

  test.each(['nobody', '..', '../Exp/x'])('of a run without files is refused: %s', async (runId) => {
    await started()
    await expect(bench.request('upload_run', { run_id: runId })).rejects.toMatchObject({ code: 'runs.not_complete' })
  })

  test('of a manifest that leads elsewhere is refused', async () => {
    await started()
    await bench.setUp(setup)
    mkdirSync(join(bench.runsRoot, '.benchlog'))
    for (const changes of [{ directory: '../..' }, { files: [{ path: '/etc/passwd', bytes: 1 }] }]) {
      bench.finishRun('run-1', {}, changes)
      await expect(bench.request('upload_run', { run_id: 'run-1' })).rejects.toMatchObject({ code: 'input.invalid' })
    }
  })
})

describe('retention', () => {
  const HOUR_MS = 3600_000
  const retired = (): readonly string[] =>
    bench.broker.published.map(({ topic }) => topic).filter((topic) => topic.endsWith('/retired'))
  const elapsedDays = (since: string): number => (bench.clock.now().getTime() - Date.parse(since)) / DAY_MS

  test('retires an uploaded run after the days configured, not before', async () => {
    await started()
    await bench.setUp(setup)
    bench.finishRun('run-1', { 'slot01/CV/a.csv': '1' })
    const { timestamp } = await bench.uploadEnded('run-1')
    await bench.until(() => retired().length > 0, HOUR_MS)
    expect(elapsedDays(timestamp)).toBeGreaterThan(7)
    expect(retired()).toEqual([`potentiostat/${BOX}/run-1/retired`])
    await expect.poll(() => bench.broker.retained.has(`potentiostat/${BOX}/run-1/upload`)).toBe(false)
    await expect.poll(() => readdirSync(join(bench.runsRoot, 'Exp/run-1'))).toEqual(['slot01'])
  })

  test('keeps what is not on the share, also in a shared directory', async () => {
    const share = new FakeShare()
    await started(share)
    await bench.setUp(setup)
    bench.finishRun('run-1', { 'slot01/CV/a.csv': '1' }, { directory: 'Exp/group', status: 'failed' })
    bench.finishRun('run-2', { 'slot02/CV/a.csv': '2' }, { directory: 'Exp/group' })
    await bench.uploadEnded('run-2')
    share.trouble = new ShareFull('The share is full.')
    bench.finishRun('run-0', { 'slot03/CV/a.csv': '3' })
    await bench.uploadEnded('run-0')
    // Runs are looked through by id: the other two have been passed over when the last one is retired.
    await bench.until(() => retired().length > 0, HOUR_MS)
    expect(retired()).toEqual([`potentiostat/${BOX}/run-2/retired`])
    await expect.poll(() => readdirSync(join(bench.runsRoot, 'Exp/group')).sort()).toEqual(['slot01', 'slot02'])
  })
})
