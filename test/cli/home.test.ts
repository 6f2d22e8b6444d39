import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { claimHome } from '../../cli/claims.js'
import { makeHome } from '../../cli/home.js'
import { type Config, readConfig } from '../../config.js'
import { temporaryDirectory } from '../support/temporary-directory.js'

function home(): Config {
  const config = readConfig({ BENCHLOG_HOME: temporaryDirectory() })
  makeHome(config)
  return config
}

/** What another process would have written. */
function claimedBy(config: Config, pid: number): void {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  const startedAt = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]
  const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
  writeFileSync(join(config.runDirectory, 'services.pid'), `${pid} ${boot} ${startedAt}`)
}

it('is refused a role that a living process holds, and keeps none of the others', async () => {
  const config = home()
  const other = spawn('sleep', ['60'])
  claimedBy(config, Number(other.pid))
  expect(() => claimHome(config, 'broker', 'services')).toThrow(`services run in process ${other.pid}`)
  expect(existsSync(join(config.runDirectory, 'broker.pid'))).toBe(false)
  other.kill()
  await once(other, 'exit')
  claimHome(config, 'broker', 'services')()
  expect(existsSync(join(config.runDirectory, 'services.pid'))).toBe(false)
})

it('takes over from a process of an earlier boot whose number is somebody else now', () => {
  const config = home()
  writeFileSync(join(config.runDirectory, 'services.pid'), `${process.ppid} 11111111-2222-3333-4444-555555555555 7`)
  claimHome(config, 'services')()
})

it('closes a data directory to others, with all that is ours below it and nothing else', () => {
  const config = readConfig({ BENCHLOG_HOME: join(temporaryDirectory(), 'home') })
  const foreign = join(config.home, 'thesis.txt')
  const run = join(config.runsRoot, '2026', 'slot01.csv')
  mkdirSync(dirname(run), { recursive: true })
  for (const file of [config.eventLogPath, `${config.eventLogPath}-wal`, config.readModelsPath, run, foreign]) {
    writeFileSync(file, '', { mode: 0o644 })
  }
  symlinkSync(foreign, join(config.runsRoot, 'link'))
  chmodSync(config.home, 0o755)
  makeHome(config)
  const mode = (path: string): string => (statSync(path).mode & 0o777).toString(8)
  expect([config.home, config.runsRoot, dirname(run)].map(mode)).toEqual(['700', '700', '700'])
  expect([config.eventLogPath, `${config.eventLogPath}-wal`, config.readModelsPath, run].map(mode)).toEqual(
    Array(4).fill('600'),
  )
  expect(mode(foreign)).toBe('644')
})
