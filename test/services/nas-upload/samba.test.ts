import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { NasSetup } from '../../../events/nas/nas.js'
import { chooseTransport, thisMachine } from '../../../services/nas-upload/choose-transport.js'
import { runCommand } from '../../../services/nas-upload/run-command.js'
import { createSmbclientTransport } from '../../../services/nas-upload/smbclient.js'
import { temporaryDirectory } from '../../support/temporary-directory.js'
import { Bench, BOX } from './support/bench.js'
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
} from './support/samba.js'

const CSV = 'Time (s),Current (A)\n0,1e-6\n'
const FILES = { 'slot01/CV/Exp_slot01_CV.csv': CSV, 'slot01/CV/Exp_slot01_CV.json': '{}', 'slot02/CV/x.csv': '' }

/** Both ways, where the kernel can mount a share; the second way everywhere. */
const best = await chooseTransport(thisMachine)
const transports = [createSmbclientTransport(runCommand), ...(best?.name === 'mount' ? [best] : [])]

describe.skipIf(!sambaIsInstalled()).each(transports)(
  '$name against a Samba server',
  { timeout: 60_000 },
  (transport) => {
    let samba: Samba
    let bench: Bench

    beforeAll(async () => {
      samba = await startSamba()
    }, 30_000)
    afterAll(() => samba?.stop())

    beforeEach(async () => {
      bench = new Bench(temporaryDirectory())
      await bench.start(transport)
    })
    afterEach(() => bench.stop())

    const setup = (changes: Partial<NasSetup> = {}): NasSetup => ({
      host: samba.host,
      share: SHARE,
      username: samba.username,
      password: PASSWORD,
      base_subdir: 'Lab 3/Box01',
      retention_days: 7,
      ...changes,
    })

    test('setup makes the base directory, proves that it can write, and leaves nothing behind', async () => {
      expect(await bench.setUp(setup())).toMatchObject({ ok: true, message: 'ok' })
      expect(readdirSync(join(samba.directory(SHARE), 'Lab 3', 'Box01'))).toEqual([])
      expect(await bench.request('nas_health')).toMatchObject({ ok: true, last_checked: expect.any(String) })
    })

    test.each([
      ['a wrong password', { password: 'wrong' }, /refuses this user name or password/],
      ['an unknown user', { username: 'nobody-here' }, /refuses this user name or password/],
      ['an unknown share', { share: 'missing' }, /no share of this name/],
      ['a read-only share', { share: READ_ONLY_SHARE }, /may not write|read-only/],
    ])('setup with %s says so', async (_case, changes, message) => {
      expect(await bench.setUp(setup(changes))).toMatchObject({ ok: false, message: expect.stringMatching(message) })
    })

    test('setup with a host that does not answer says so', async () => {
      const nobody = `127.0.0.1:${await freePort()}`
      expect(await bench.setUp(setup({ host: nobody }))).toMatchObject({
        ok: false,
        message: expect.stringMatching(/no SMB service/),
      })
    })

    test('health misses a base directory that was deleted', async () => {
      await bench.setUp(setup())
      const config = JSON.parse(readFileSync(bench.nasConfigPath, 'utf8')) as object
      writeFileSync(bench.nasConfigPath, JSON.stringify({ ...config, base_subdir: 'gone' }))
      expect(await bench.request('nas_health')).toMatchObject({
        ok: false,
        message: 'The share has no directory gone.',
      })
    })

    test('a finished run arrives with every byte, and the markers stay here', async () => {
      await bench.setUp(setup())
      bench.finishRun('run-1', FILES)
      expect(await bench.uploadEnded('run-1')).toMatchObject({ status: 'done' })
      const remote = join(samba.directory(SHARE), 'Lab 3/Box01/Exp/run-1')
      for (const [path, text] of Object.entries(FILES)) expect(readFileSync(join(remote, path), 'utf8')).toBe(text)
      expect(readdirSync(remote).sort()).toEqual(['slot01', 'slot02'])
      expect(existsSync(join(bench.runsRoot, 'Exp/run-1/UPLOAD_DONE'))).toBe(true)
    })

    test('an upload again, over what an interruption left, succeeds', async () => {
      await bench.setUp(setup())
      bench.finishRun('run-2', FILES)
      await bench.uploadEnded('run-2')
      const remote = join(samba.directory(SHARE), 'Lab 3/Box01/Exp/run-2/slot01/CV/Exp_slot01_CV.csv')
      writeFileSync(remote, 'cut')
      await bench.request('upload_run', { run_id: 'run-2' })
      await bench.uploadEnded('run-2')
      expect(readFileSync(remote, 'utf8')).toBe(CSV)
    })

    test('a file that is shorter here than its manifest says is not taken for uploaded', async () => {
      await bench.setUp(setup())
      const files = [{ path: 'slot01/CV/a.csv', bytes: 10_000 }]
      bench.finishRun('run-3', { 'slot01/CV/a.csv': 'short' }, { files })
      expect(await bench.uploadEnded('run-3')).toMatchObject({
        status: 'failed',
        reason: expect.stringMatching(/a\.csv has 5 bytes on the share, 10000 bytes here/),
      })
    })

    test('a password changed on the server stops uploads until the share is set up anew', async () => {
      await bench.setUp(setup())
      await bench.setUp(setup({ password: 'outdated' }))
      bench.finishRun('run-4', FILES)
      expect(await bench.uploadEnded('run-4')).toMatchObject({
        status: 'failed',
        reason: expect.stringMatching(/refuses this user name or password/),
        next_attempt_at: expect.any(String),
      })
      await bench.setUp(setup())
      expect(await bench.uploadEnded('run-4', 2)).toMatchObject({ status: 'done' })
      expect(existsSync(join(bench.runsRoot, 'Exp/run-4/UPLOAD_FAILED'))).toBe(false)
    })

    test('the password is in the credentials file and nowhere else', async () => {
      await bench.setUp(setup())
      bench.finishRun('run-5', FILES)
      await bench.uploadEnded('run-5')
      expect(JSON.stringify(bench.broker.published)).not.toContain(PASSWORD)
      expect(readFileSync(bench.nasConfigPath, 'utf8')).not.toContain(PASSWORD)
      const credentials = join(bench.home, '.smbcredentials_nas')
      expect(readFileSync(credentials, 'utf8')).toContain(PASSWORD)
      expect(statSync(credentials).mode & 0o777).toBe(0o600)
    })

    test('an uploaded run is retired after its days, and stays on the share', async () => {
      await bench.setUp(setup())
      bench.finishRun('run-6', FILES)
      await bench.uploadEnded('run-6')
      const topic = `potentiostat/${BOX}/run-6/retired`
      await bench.until(() => bench.broker.payloads(topic).length > 0, 3600_000)
      expect(existsSync(join(samba.directory(SHARE), 'Lab 3/Box01/Exp/run-6/slot01/CV/Exp_slot01_CV.csv'))).toBe(true)
    })

    test.skipIf(!canMount())('a full share is named, and used again once it has room', async () => {
      await bench.setUp(setup({ share: SMALL_SHARE, base_subdir: '' }))
      const filler = join(samba.directory(SMALL_SHARE), 'filler')
      writeFileSync(filler, Buffer.alloc(100 * 1024))
      bench.finishRun('run-7', { 'slot01/CV/a.csv': 'x'.repeat(64 * 1024) })
      expect(await bench.uploadEnded('run-7')).toMatchObject({
        status: 'failed',
        reason: expect.stringMatching(/full/),
      })
      writeFileSync(filler, '')
      expect(await bench.uploadEnded('run-7', 2)).toMatchObject({ status: 'done' })
    })
  },
)
