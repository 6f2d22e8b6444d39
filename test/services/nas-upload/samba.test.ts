import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { NasSetup } from '../../../events/nas/nas.js'
import { chooseTransport, thisMachine } from '../../../services/nas-upload/choose-transport.js'
import { runCommand } from '../../../services/nas-upload/run-command.js'
import { createSmbclientTransport } from '../../../services/nas-upload/smbclient.js'
import { temporaryDirectory } from '../../support/temporary-directory.js'
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
import { BOX, UploadLab } from './support/upload-lab.js'

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
    let lab: UploadLab

    beforeAll(async () => {
      samba = await startSamba()
    }, 30_000)
    afterAll(() => samba?.stop())

    beforeEach(async () => {
      lab = new UploadLab(temporaryDirectory())
      await lab.start(transport)
    })
    afterEach(() => lab.stop())

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
      expect(await lab.setUp(setup())).toMatchObject({ ok: true, message: 'ok' })
      expect(readdirSync(join(samba.directory(SHARE), 'Lab 3', 'Box01'))).toEqual([])
      expect(await lab.request('nas_health')).toMatchObject({ ok: true, last_checked: expect.any(String) })
    })

    test.each([
      ['a wrong password', { password: 'wrong' }, /refuses this user name or password/],
      ['an unknown user', { username: 'nobody-here' }, /refuses this user name or password/],
      ['an unknown share', { share: 'missing' }, /no share of this name/],
      ['a read-only share', { share: READ_ONLY_SHARE }, /may not write|read-only/],
    ])('setup with %s says so', async (_case, changes, message) => {
      expect(await lab.setUp(setup(changes))).toMatchObject({ ok: false, message: expect.stringMatching(message) })
    })

    test('setup with a host that does not answer says so', async () => {
      const nobody = `127.0.0.1:${await freePort()}`
      expect(await lab.setUp(setup({ host: nobody }))).toMatchObject({
        ok: false,
        message: expect.stringMatching(/no SMB service/),
      })
    })

    test('health misses a base directory that was deleted', async () => {
      await lab.setUp(setup())
      const config = JSON.parse(readFileSync(lab.nasConfigPath, 'utf8')) as object
      writeFileSync(lab.nasConfigPath, JSON.stringify({ ...config, base_subdir: 'gone' }))
      expect(await lab.request('nas_health')).toMatchObject({
        ok: false,
        message: 'The share has no directory gone.',
      })
    })

    test('a finished run arrives with every byte, and the markers stay here', async () => {
      await lab.setUp(setup())
      lab.finishRun('run-1', FILES)
      expect(await lab.uploadEnded('run-1')).toMatchObject({ status: 'done' })
      const remote = join(samba.directory(SHARE), 'Lab 3/Box01/Exp/run-1')
      for (const [path, text] of Object.entries(FILES)) expect(readFileSync(join(remote, path), 'utf8')).toBe(text)
      expect(readdirSync(remote).sort()).toEqual(['slot01', 'slot02'])
      expect(existsSync(join(lab.runsRoot, 'Exp/run-1/UPLOAD_DONE'))).toBe(true)
    })

    test('an upload again, over what an interruption left, succeeds', async () => {
      await lab.setUp(setup())
      lab.finishRun('run-2', FILES)
      await lab.uploadEnded('run-2')
      const remote = join(samba.directory(SHARE), 'Lab 3/Box01/Exp/run-2/slot01/CV/Exp_slot01_CV.csv')
      writeFileSync(remote, 'cut')
      await lab.request('upload_run', { run_id: 'run-2' })
      await lab.uploadEnded('run-2')
      expect(readFileSync(remote, 'utf8')).toBe(CSV)
    })

    test('a file that is shorter here than its manifest says is not taken for uploaded', async () => {
      await lab.setUp(setup())
      const files = [{ path: 'slot01/CV/a.csv', bytes: 10_000 }]
      lab.finishRun('run-3', { 'slot01/CV/a.csv': 'short' }, { files })
      expect(await lab.uploadEnded('run-3')).toMatchObject({
        status: 'failed',
        reason: expect.stringMatching(/a\.csv has 5 bytes on the share, 10000 bytes here/),
      })
    })

    test('a password changed on the server stops uploads until the share is set up anew', async () => {
      await lab.setUp(setup())
      await lab.setUp(setup({ password: 'outdated' }))
      lab.finishRun('run-4', FILES)
      expect(await lab.uploadEnded('run-4')).toMatchObject({
        status: 'failed',
        reason: expect.stringMatching(/refuses this user name or password/),
        next_attempt_at: expect.any(String),
      })
      await lab.setUp(setup())
      expect(await lab.uploadEnded('run-4', 2)).toMatchObject({ status: 'done' })
      expect(existsSync(join(lab.runsRoot, 'Exp/run-4/UPLOAD_FAILED'))).toBe(false)
    })

    test('the password is in the credentials file and nowhere else', async () => {
      await lab.setUp(setup())
      lab.finishRun('run-5', FILES)
      await lab.uploadEnded('run-5')
      expect(JSON.stringify(lab.broker.published)).not.toContain(PASSWORD)
      expect(readFileSync(lab.nasConfigPath, 'utf8')).not.toContain(PASSWORD)
      const credentials = join(lab.home, '.smbcredentials_nas')
      expect(readFileSync(credentials, 'utf8')).toContain(PASSWORD)
      expect(statSync(credentials).mode & 0o777).toBe(0o600)
    })

    test('an uploaded run is retired after its days, and stays on the share', async () => {
      await lab.setUp(setup())
      lab.finishRun('run-6', FILES)
      await lab.uploadEnded('run-6')
      const topic = `potentiostat/${BOX}/run-6/retired`
      await lab.until(() => lab.broker.payloads(topic).length > 0, 3600_000)
      expect(existsSync(join(samba.directory(SHARE), 'Lab 3/Box01/Exp/run-6/slot01/CV/Exp_slot01_CV.csv'))).toBe(true)
    })

    test.skipIf(!canMount())('a full share is named, and used again once it has room', async () => {
      await lab.setUp(setup({ share: SMALL_SHARE, base_subdir: '' }))
      const filler = join(samba.directory(SMALL_SHARE), 'filler')
      writeFileSync(filler, Buffer.alloc(100 * 1024))
      lab.finishRun('run-7', { 'slot01/CV/a.csv': 'x'.repeat(64 * 1024) })
      expect(await lab.uploadEnded('run-7')).toMatchObject({
        status: 'failed',
        reason: expect.stringMatching(/full/),
      })
      writeFileSync(filler, '')
      expect(await lab.uploadEnded('run-7', 2)).toMatchObject({ status: 'done' })
    })
  },
)
