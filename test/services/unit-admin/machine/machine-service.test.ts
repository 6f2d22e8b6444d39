import { chmodSync, existsSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { TaskDefinition } from '../../../../events/core/define-task.js'
import {
  rebootTask,
  repairTask,
  restartWebServerTask,
  setClockTask,
  shutdownTask,
  updateTask,
} from '../../../../events/machine/commands.js'
import { eventually } from '../../../support/eventually.js'
import { MachineLab } from './machine-lab.js'

let lab: MachineLab
beforeEach(() => {
  lab = new MachineLab()
})
afterEach(() => lab.stop())

describe('what the settings do not allow', () => {
  test.each([
    [rebootTask, {}],
    [shutdownTask, {}],
    [restartWebServerTask, {}],
    [repairTask, {}],
    [setClockTask, { utc_clock_time: null }],
    [setClockTask, { utc_clock_time: '2026-01-28T01:45:28Z' }],
    [updateTask, { args: [], options: {} }],
  ] as const)('$name is a task that fails with the setting, and nothing happens', async (task, order) => {
    await lab.start([])
    const { status, error } = await lab.end(task as TaskDefinition<unknown>, order)
    expect([status, error?.code]).toEqual(['failed', 'machine.action_disabled'])
    expect(error?.remediation).toMatch(/SYSTEM_ACTIONS|UPDATE_PROGRAM/)
    expect(lab.happened).toEqual([])
  })
})

describe('power', () => {
  test('outputs are safe before the computer is switched off', async () => {
    await lab.start(['shutdown'])
    expect(await lab.end(shutdownTask, {})).toMatchObject({ status: 'succeeded', result: true })
    expect(lab.happened).toEqual(['hold: the computer is switched off', 'systemctl poweroff'])
  })

  test('a unit that the computer does not take down goes on', async () => {
    await lab.start(['shutdown'])
    await lab.end(shutdownTask, {})
    await lab.clock.advance(120_000)
    expect(lab.happened.at(-1)).toBe('release')
  })

  test('what the operating system refuses fails with its words, and the unit goes on at once', async () => {
    await lab.start(['shutdown'])
    lab.ends.push({ code: 1, stderr: 'Access denied\n' })
    const { status, error } = await lab.end(shutdownTask, {})
    expect([status, error?.message]).toEqual(['failed', 'systemctl poweroff failed: Access denied.'])
    expect(lab.happened.at(-1)).toBe('release')
  })

  test('a worker is started again at once, a leader after 5 s, outputs safe only then', async () => {
    writeFileSync(join(lab.dot, 'config.ini'), '[cluster.topology]\nleader_hostname = boss\n')
    await lab.start()
    await lab.end(rebootTask, {})
    expect(lab.happened).toEqual(['hold: the computer is started again', 'systemctl reboot'])
    await lab.stop()
    lab.happened.length = 0
    writeFileSync(join(lab.dot, 'config.ini'), '[cluster.topology]\nleader_hostname = u1\n')
    await lab.start()
    await lab.order(rebootTask, {})
    await eventually(async () => {
      await lab.clock.advance(1000)
      expect(lab.happened).toHaveLength(2)
    })
    expect(lab.clock.monotonicMs()).toBeGreaterThanOrEqual(5000)
  })

  test('a second order within 15 s fails with the words that clients know', async () => {
    await lab.start()
    await lab.end(shutdownTask, {})
    const { status, error } = await lab.end(rebootTask, {})
    expect([status, error?.message]).toEqual(['failed', expect.stringMatching(/^RateLimitExceeded\(power-actions/)])
  })

  test('the web server is started again with the unit', async () => {
    await lab.start()
    expect((await lab.end(restartWebServerTask, {})).result).toBe(true)
    expect(lab.happened.at(-1)).toBe('systemctl --no-block restart benchlog.service')
  })
})

describe('the clock', () => {
  test.each([
    ['2026-01-28T01:45:28Z', '1769564728000000'],
    ['2026-01-28T01:45:28.286Z', '1769564728286000'],
    ['2026-01-28T01:45:28.000001Z', '1769564728000001'],
  ])('is set to %s exactly', async (text, microseconds) => {
    await lab.start()
    expect((await lab.end(setClockTask, { utc_clock_time: text })).result).toBe(true)
    expect(lab.happened).toEqual([
      'busctl call org.freedesktop.timedate1 /org/freedesktop/timedate1 org.freedesktop.timedate1 ' +
        `SetTime xbb ${microseconds} false false`,
    ])
  })

  test.each(['', 'noon', '2026-01-28', '2026-01-28T01:45:28', '2026-01-28T01:45:28+01:00', '2026-02-30T00:00:00Z'])(
    '%j is refused, and nothing is asked for',
    async (text) => {
      await lab.start()
      await expect(lab.order(setClockTask, { utc_clock_time: text })).rejects.toThrow('utc_clock_time')
      expect(lab.happened).toEqual([])
    },
  )

  test('is synchronised by the time service that runs', async () => {
    await lab.start()
    lab.ends.push({ code: 3, stdout: 'inactive\ninactive\nactive\n' })
    expect((await lab.end(setClockTask, { utc_clock_time: null })).result).toBe(true)
    expect(lab.happened.at(-1)).toBe('systemctl restart systemd-timesyncd.service')
  })

  test('is not said to be synchronised without a time service', async () => {
    await lab.start()
    lab.ends.push({ code: 4, stdout: 'inactive\ninactive\ninactive\n' })
    const { status, error } = await lab.end(setClockTask, { utc_clock_time: null })
    expect([status, error?.message]).toEqual(['failed', expect.stringContaining('No time service runs')])
  })
})

describe('an update', () => {
  test('launches the program with one argument for each word, which outlives the task', async () => {
    const program = join(lab.home, 'update')
    writeFileSync(
      program,
      `#!/bin/sh\nprintf '%s|' "$@" > ${lab.home}/args.tmp\nmv ${lab.home}/args.tmp ${lab.home}/args\n`,
    )
    chmodSync(program, 0o700)
    await lab.start([], program)
    const options = { branch: 'feature/test', repo: 'pioreactor/pioreactor', sha: 'ABCDEF12', no_deps: null }
    expect((await lab.end(updateTask, { args: [], options })).result).toBe(true)
    await eventually(() =>
      expect(readFileSync(join(lab.home, 'args'), 'utf8')).toBe(
        '--branch|feature/test|--repo|pioreactor/pioreactor|--sha|abcdef12|--no-deps|',
      ),
    )
  })

  test('whose program is not there fails', async () => {
    await lab.start([], join(lab.home, 'nothing'))
    expect(await lab.end(updateTask, { args: [], options: {} })).toMatchObject({
      status: 'failed',
      error: { code: 'machine.action_failed' },
    })
  })

  test.each([
    [{ branch: 'a b' }, 'branch/ref'],
    [{ branch: '"; reboot' }, 'branch/ref'],
    [{ branch: '--all' }, 'branch/ref'],
    [{ branch: 'a..b' }, 'branch/ref'],
    [{ branch: 'a/' }, 'branch/ref'],
    [{ branch: null }, 'branch'],
    [{ repo: 'pioreactor/pioreactor;touch' }, 'owner/repo'],
    [{ repo: 'pioreactor' }, 'owner/repo'],
    [{ sha: 'xyz1' }, 'sha'],
    [{ sha: 7 }, 'sha'],
    [{ source: '-rf' }, 'source'],
    [{ version: '$(id)' }, 'version'],
    [{ no_deps: 'yes' }, 'no_deps'],
    [{ exec: 'sh' }, 'unknown'],
    [JSON.parse('{"__proto__": "x"}') as Record<string, unknown>, 'unknown'],
  ])('with %j is refused before anything runs', async (options, words) => {
    await lab.start([], '/bin/false')
    await expect(lab.order(updateTask, { args: [], options })).rejects.toThrow(words)
    await expect(lab.order(updateTask, { args: ['--x'], options: {} })).rejects.toThrow('args')
  })
})

describe('a repair', () => {
  test('makes files and folders usable again and tells of each, without following links', async () => {
    await lab.start()
    writeFileSync(join(lab.dot, 'locked'), 'x', { mode: 0o000 })
    writeFileSync(join(lab.home, 'other'), 'x', { mode: 0o000 })
    symlinkSync(join(lab.home, 'other'), join(lab.dot, 'link'))
    const { status, result } = await lab.end(repairTask, {})
    expect(status).toBe('succeeded')
    expect(result).toMatchObject({
      success: true,
      repair: { returncode: 0, stdout: expect.stringContaining('locked can be read and written again.') },
      status: { returncode: 0, payload: { status: expect.stringMatching(/^(OK|WARN)$/) } },
    })
    expect(statSync(join(lab.dot, 'locked')).mode & 0o777).toBe(0o600)
    expect(statSync(join(lab.home, 'other')).mode & 0o777).toBe(0)
    expect(existsSync(join(lab.dot, 'storage', 'calibrations'))).toBe(true)
  })

  test('tells of a configuration that cannot be read', async () => {
    await lab.start()
    writeFileSync(join(lab.dot, 'config.ini'), '[broken\n')
    expect((await lab.end(repairTask, {})).result).toMatchObject({
      success: false,
      status: { returncode: 1, payload: { status: 'FAIL' } },
    })
  })
})
