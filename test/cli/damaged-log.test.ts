import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { mainPath } from '../../cli/services-command.js'
import { lastReadable, overwritePage, writtenLog } from '../event-log/damaged-log.js'
import { unitEnvironment } from '../support/start-lab.js'
import { temporaryDirectory } from '../support/temporary-directory.js'

function benchlog(home: string, command: string) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [mainPath(), command], {
    encoding: 'utf8',
    timeout: 25_000,
    env: unitEnvironment(home, { LOG_LEVEL: 'silent', SIMULATED_POTENTIOSTATS: '0' }),
  })
  return { status, stdout, stderr }
}

async function homeWithLog(events: number): Promise<{ readonly home: string; readonly path: string }> {
  const home = join(temporaryDirectory(), 'home')
  mkdirSync(home)
  return { home, path: await writtenLog(events, join(home, 'event-log.db')) }
}

it('a damaged log is told with what is left of it and what to do; verify finds the damage; repair mends it', async () => {
  const { home, path } = await homeWithLog(20_000)
  overwritePage(path, 'interior')
  const readable = lastReadable(path)

  const started = benchlog(home, 'start')
  expect(started.status).toBe(1)
  expect(started.stderr).toContain(`The event log ${path} is damaged: `)
  expect(started.stderr).toContain(`Its events 1 to ${readable} can be read, the last of them of 2026-`)
  expect(started.stderr).toContain('benchlog repair')
  expect(started.stderr).not.toContain('    at ')

  const verified = benchlog(home, 'verify')
  expect([verified.status, verified.stderr]).toEqual([1, ''])
  expect(verified.stdout).toContain(
    `PROBLEM: The file is damaged: what comes after position ${readable} cannot be read`,
  )

  const repaired = benchlog(home, 'repair')
  expect([repaired.status, repaired.stderr]).toEqual([0, ''])
  expect(repaired.stdout).toContain(`Kept: events 1 to ${readable}, the last of 2026-`)
  expect(repaired.stdout).toContain(`Lost: events ${readable + 1} to 20000, recorded until 2026-`)
  expect(readdirSync(home).some((name) => /^event-log\.damaged-\w+\.db$/.test(name))).toBe(true)
  expect(benchlog(home, 'verify')).toMatchObject({ status: 0, stderr: '' })
  expect(benchlog(home, 'repair')).toMatchObject({ status: 1, stderr: expect.stringContaining('is sound') })
})

it('damage that only the folding of the log meets ends the start', async () => {
  const { home, path } = await homeWithLog(60_000)
  // The events that a start looks up do not show one lost page in ten thousand.
  overwritePage(path, 'leaf')
  const { status, stderr } = benchlog(home, 'start')
  expect(status).toBe(1)
  expect(stderr).toContain(`The event log ${path} is damaged: `)
  expect(stderr).toContain(`Its events 1 to ${lastReadable(path)} can be read`)
  rmSync(home, { recursive: true })
})
