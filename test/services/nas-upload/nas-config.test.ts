import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { NasSetup } from '../../../events/nas/nas.js'
import { createConfigStore } from '../../../services/nas-upload/config-store.js'
import { configFor, credentialLines } from '../../../services/nas-upload/nas-config.js'
import { FakeClock } from '../../support/fake-clock.js'
import { silentLogger } from '../../support/silent-logger.js'
import { temporaryDirectory } from '../../support/temporary-directory.js'

const setup: NasSetup = { host: 'nas.local', share: 'experiments', username: 'lab', password: 'se,cret %1' }
const credPath = '/somewhere/credentials'
const attempt = (changes: Partial<NasSetup>) => configFor({ ...setup, ...changes }, { credPath })

describe('settings of the share', () => {
  test('are complete with the documented defaults', () => {
    expect(attempt({})).toEqual({
      base_subdir: '',
      cifs_vers: '3.0',
      cred_path: credPath,
      domain: null,
      host: 'nas.local',
      mount_root: '/mnt/nas_box',
      retention_days: 14,
      share: 'experiments',
      username: 'lab',
    })
  })

  test('lose the slashes that people write around host, share and base directory', () => {
    expect(attempt({ host: '//nas.local/', share: '/experiments/', base_subdir: '/Lab 3/Box01/' })).toMatchObject({
      host: 'nas.local',
      share: 'experiments',
      base_subdir: 'Lab 3/Box01',
    })
  })

  test.each([
    ['host', ''],
    ['host', 'nas.local,uid=0'],
    ['host', 'nas local'],
    ['host', 'nas.local:0'],
    ['host', 'nas.local:70000'],
    ['host', '-oProxy'],
    ['share', ''],
    ['share', 'a/b'],
    ['share', 'a,ro'],
    ['username', ''],
    ['username', 'lab\ndomain=other'],
    ['username', 'lab,ro'],
    ['password', ''],
    ['password', 'a\nusername=root'],
    ['password', 'a\r'],
    ['domain', 'A\nB'],
    ['base_subdir', '../other'],
    ['base_subdir', 'a/./b'],
    ['base_subdir', 'a"; del *'],
    ['base_subdir', 'a\nb'],
    ['base_subdir', 'a\\b'],
    ['retention_days', 0],
    ['retention_days', -3],
  ])('refuse %s %j', (field, value) => {
    expect(() => attempt({ [field]: value })).toThrowError(
      expect.objectContaining({ code: 'nas.invalid_config', message: expect.stringContaining(field) }),
    )
  })

  test('never quote a refused password', () => {
    expect(() => attempt({ password: 'hunter2\nx' })).toThrowError(/^(?!.*hunter2)/)
  })

  test('whatever is accepted gives one line per credential', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string(), (username, password, domain) => {
        const given = { ...setup, username, password, domain }
        let config: ReturnType<typeof configFor>
        try {
          config = configFor(given, { credPath })
        } catch {
          return
        }
        const lines = credentialLines(given, config.domain).split('\n')
        expect(lines).toEqual([
          `username=${username}`,
          `password=${password}`,
          ...(domain === '' ? [] : [`domain=${domain}`]),
          '',
        ])
      }),
    )
  })
})

describe('the configuration file', () => {
  const store = (home: string) =>
    createConfigStore(join(home, 'nas_smb.json'), { clock: new FakeClock(), logger: silentLogger })
  const modeOf = (path: string): number => statSync(path).mode & 0o777

  test('holds sorted keys and no password, and only its owner reads it and the credentials', async () => {
    const home = temporaryDirectory()
    const { cred_path: credentials } = await store(home).save({ ...setup, domain: 'LAB' })
    const text = readFileSync(join(home, 'nas_smb.json'), 'utf8')
    const keys = Object.keys(JSON.parse(text) as object)
    expect(keys).toEqual([...keys].sort())
    expect(text).toContain('\n  "host": "nas.local"')
    expect(text).not.toContain('se,cret')
    expect(readFileSync(credentials, 'utf8')).toBe('username=lab\npassword=se,cret %1\ndomain=LAB\n')
    expect([modeOf(join(home, 'nas_smb.json')), modeOf(credentials)]).toEqual([0o600, 0o600])
  })

  test('is read back, with the time of the setup', async () => {
    const home = temporaryDirectory()
    const config = await store(home).save(setup)
    expect(await store(home).read()).toEqual({ config, since: new FakeClock().now() })
  })

  test('stays as it was when new settings are refused', async () => {
    const home = temporaryDirectory()
    const config = await store(home).save(setup)
    await expect(store(home).save({ ...setup, host: 'a b' })).rejects.toMatchObject({ code: 'nas.invalid_config' })
    expect((await store(home).read())?.config).toEqual(config)
  })

  test('counts as absent when it is missing', async () => {
    expect(await store(temporaryDirectory()).read()).toBeNull()
  })
})
