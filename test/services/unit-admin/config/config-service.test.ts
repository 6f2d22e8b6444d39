import { execFileSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { temporaryDirectory } from '../../../support/temporary-directory.js'
import { ConfigLab } from './config-lab.js'

let lab: ConfigLab
beforeEach(() => {
  lab = new ConfigLab(temporaryDirectory())
})
afterEach(() => lab.stop())

const SHARED =
  '[cluster.topology]\nleader_hostname=site\nleader_address=10.0.0.1\n[stirring.config]\ninitial_target_rpm=300\n'

describe('what the files give together', () => {
  test('without files it is what jobs declare, and the sections that are derived', async () => {
    await lab.start()
    const { sections, error } = lab.merged()
    expect(error).toBeNull()
    expect(sections['stirring.config']).toMatchObject({ initial_target_rpm: '500' })
    expect(sections['PWM_reverse']).toMatchObject({ stirring: '1', heating: '5' })
    expect(sections['leds_reverse']).toEqual({ IR: 'A' })
    expect(sections['od_config.photodiode_channel']).toEqual({ 1: 'REF', 2: '90' })
    expect(lab.files('config.ini')).toEqual([])
  })

  test('the own file wins over the shared one, which wins over the defaults', async () => {
    lab.edit('config.ini', SHARED)
    lab.edit('unit_config.ini', '[stirring.config]\ninitial_target_rpm=450\n')
    await lab.start()
    const { sections } = lab.merged()
    expect(sections['stirring.config']).toMatchObject({ initial_target_rpm: '450', pwm_hz: '200' })
    expect(sections['cluster.addresses']).toEqual({ site: '10.0.0.1' })
  })
})

describe('a client that writes', () => {
  test('has its text on the disk byte for byte, dashes as INI has them, and its change told with what was before', async () => {
    lab.edit('unit_config.ini', '[stirring.config]\ninitial_target_rpm=450\n')
    await lab.start()
    await lab.write('# mine\r\n[stirring.config]\r\ninitial_target_rpm = 600\r\n\r\n[notes]\nplan = 1–2\n')
    expect(lab.text('unit_config.ini')).toBe(
      '# mine\r\n[stirring.config]\r\ninitial_target_rpm = 600\r\n\r\n[notes]\nplan = 1-2\n',
    )
    expect(lab.files('unit_config.ini').at(-1)).toMatchObject({
      client: 'REST from 10.0.0.7',
      changes: [
        { section: 'stirring.config', option: 'initial_target_rpm', before: '450', after: '600' },
        { section: 'notes', option: 'plan', after: '1-2' },
      ],
      data: lab.text('unit_config.ini'),
    })
    expect(lab.merged().sections['stirring.config']).toMatchObject({ initial_target_rpm: '600' })
  })

  test('may empty the file', async () => {
    lab.edit('unit_config.ini', '[notes]\nplan=1\n')
    await lab.start()
    await lab.write('')
    expect(lab.text('unit_config.ini')).toBe('')
    expect(lab.files('unit_config.ini').at(-1)?.changes).toEqual([{ section: 'notes', option: 'plan', before: '1' }])
  })

  test('is not held for what was done by hand just before', async () => {
    await lab.start()
    lab.edit('unit_config.ini', '[notes]\nplan=by hand\n')
    await lab.write('[notes]\nplan=by client\n')
    expect(lab.files('unit_config.ini').map(({ client, changes }) => [client, changes[0]?.after])).toEqual([
      ['edit on disk', 'by hand'],
      ['REST from 10.0.0.7', 'by client'],
    ])
  })

  test.each([
    ['[a]\nx=1\n[a]\ny=2', 'config.malformed', '[a]'],
    ['[a]\nx=1\nx=2', 'config.malformed', 'x stands twice in [a]'],
    ['x=1', 'config.malformed', 'Line 1'],
    ['[a', 'config.malformed', 'Line 1'],
    ['[a]\n=1', 'config.malformed', 'Line 2'],
    ['[a]\nx=%(nope)s', 'config.malformed', '[a] x'],
    ['[a]\nx=5 %', 'config.malformed', '[a] x'],
    ['[cluster.topology]\nleader_address', 'config.malformed', '[cluster.topology] has no leader_address'],
    ['[stirring.config]\ninitial_target_rpm=fast', 'config.invalid', '[stirring.config] initial_target_rpm'],
    ['[stirring.config]\ninitial_target_rpm=99999', 'config.invalid', '1500'],
    ['[a]\nx=\u0007', 'config.malformed', 'control character'],
    [`[a]\nx=${'y'.repeat(140_000)}`, 'config.malformed', '131072'],
    [`[a]\n${'z'.repeat(300)}=1`, 'config.malformed', 'longer than 200'],
    [`[a]\nx0=${'y'.repeat(9)}\n${manyReferences()}`, 'config.malformed', 'longer than'],
    [`[DEFAULT]\nx=${'y'.repeat(9000)}\n${manySections()}`, 'config.malformed', 'longer than'],
  ])('is told what is wrong with %j, and nothing changes', async (code, reason, text) => {
    lab.edit('unit_config.ini', '[notes]\nplan=1\n')
    await lab.start()
    const before = lab.broker.published.length
    await expect(lab.write(code)).rejects.toMatchObject({ code: reason, message: expect.stringContaining(text) })
    expect(lab.text('unit_config.ini')).toBe('[notes]\nplan=1\n')
    expect(lab.broker.published.slice(before)).toEqual([])
  })

  test('is told that the shared file is broken', async () => {
    lab.edit('config.ini', '[cluster.topology]\nleader_hostname=a\n  [')
    lab.edit('config.ini', 'broken')
    await lab.start()
    await expect(lab.write('[a]\nx=1')).rejects.toMatchObject({
      code: 'config.unreadable',
      message: expect.stringContaining('config.ini: Line 1'),
    })
  })

  test('is told that the file cannot be written; it is as it was', async () => {
    await lab.start()
    // What takes the place of the draft cannot be replaced.
    mkdirSync(join(lab.dotPioreactor, 'unit_config.ini.tmp'))
    await expect(lab.write('[a]\nx=1')).rejects.toMatchObject({ code: 'config.not_written' })
    expect(existsSync(join(lab.dotPioreactor, 'unit_config.ini'))).toBe(false)
  })

  test('keeps the permissions of its file; a new one is for this user alone', async () => {
    await lab.start()
    const path = join(lab.dotPioreactor, 'unit_config.ini')
    await lab.write('[a]\nx=1')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    chmodSync(path, 0o640)
    await lab.write('[a]\nx=2')
    expect(statSync(path).mode & 0o777).toBe(0o640)
  })

  test('whose change could not be told at once is named when it can', async () => {
    await lab.start()
    const publish = lab.broker.deliver.bind(lab.broker)
    lab.broker.deliver = () => {
      throw new Error('the log is full')
    }
    await expect(lab.write('[notes]\nplan=1')).rejects.toThrow('the log is full')
    lab.broker.deliver = publish
    await lab.look()
    expect(lab.files('unit_config.ini')).toMatchObject([{ client: 'REST from 10.0.0.7' }])
  })

  test('changes nothing while the services are suspended', async () => {
    const service = await lab.start()
    await service.suspend('the log cannot be written')
    await expect(lab.write('[a]\nx=1')).rejects.toMatchObject({ code: 'services.suspended' })
    await service.resume()
    await lab.write('[a]\nx=1')
    expect(lab.text('unit_config.ini')).toBe('[a]\nx=1')
  })
})

function manyReferences(): string {
  return [1, 2, 3, 4, 5, 6].map((n) => `x${n}=${`%(x${n - 1})s`.repeat(20)}`).join('\n')
}

function manySections(): string {
  return Array.from({ length: 1000 }, (_, n) => `[s${n}]\na=1`).join('\n')
}

describe('an edit by hand', () => {
  test('is told of within two seconds, removal included', async () => {
    await lab.start()
    lab.edit('config.ini', SHARED)
    await lab.look()
    expect(lab.files('config.ini')).toMatchObject([{ client: 'edit on disk', data: SHARED }])
    rmSync(join(lab.dotPioreactor, 'config.ini'))
    await lab.look()
    expect(lab.files('config.ini').at(-1)).toMatchObject({ data: '' })
    expect(lab.merged().sections['stirring.config']).toMatchObject({ initial_target_rpm: '500' })
  })

  test('while the services were away is told of at the next start; without one nothing is told again', async () => {
    lab.edit('config.ini', SHARED)
    await lab.start()
    const told = lab.broker.published.filter(({ topic }) => topic.includes('/config')).length
    await lab.restart()
    expect(lab.broker.published.filter(({ topic }) => topic.includes('/config'))).toHaveLength(told)
    await lab.stop()
    lab.edit('config.ini', SHARED.replace('300', '350'))
    await lab.start()
    expect(lab.files('config.ini').at(-1)?.changes).toEqual([
      { section: 'stirring.config', option: 'initial_target_rpm', before: '300', after: '350' },
    ])
  })

  test('while the services were away, of a secret alone, is told of too', async () => {
    lab.edit('config.ini', `${SHARED}[mqtt]\npassword=one\n`)
    await lab.start()
    await lab.stop()
    lab.edit('config.ini', `${SHARED}[mqtt]\npassword=two\n`)
    await lab.start()
    expect(lab.files('config.ini')).toHaveLength(2)
  })

  test('without the private file nothing is told again that the event shows', async () => {
    lab.edit('config.ini', `${SHARED}[mqtt]\npassword=one\n`)
    await lab.start()
    await lab.stop()
    rmSync(lab.secretsPath)
    await lab.start()
    expect(lab.files('config.ini')).toHaveLength(1)
    expect(statSync(lab.secretsPath).mode & 0o777).toBe(0o600)
  })

  test.each([
    ['no section', () => lab.edit('unit_config.ini', 'password = hunter2\n')],
    ['a directory', () => mkdirSync(join(lab.dotPioreactor, 'unit_config.ini'))],
    ['a pipe', () => execFileSync('mkfifo', [join(lab.dotPioreactor, 'unit_config.ini')])],
    ['too long', () => lab.edit('unit_config.ini', `[a]\nx=${'y'.repeat(140_000)}`)],
  ])(
    'that breaks a file (%s) costs that file alone, is an alarm once, and is over when it is mended',
    async (_, spoil) => {
      lab.edit('config.ini', SHARED)
      await lab.start()
      spoil()
      await lab.look()
      await lab.look()
      const { sections, error } = lab.merged()
      expect(error).toMatchObject({ code: 'config.malformed', message: expect.stringContaining('unit_config.ini') })
      expect(sections['stirring.config']).toMatchObject({ initial_target_rpm: '300' })
      expect(lab.broker.payloads('pioreactor/u1/$experiment/logs/app/error')).toHaveLength(1)
      expect(lab.said()).not.toContain('hunter2')
      rmSync(join(lab.dotPioreactor, 'unit_config.ini'), { recursive: true })
      await lab.look()
      expect(lab.merged().error).toBeNull()
    },
  )
})
