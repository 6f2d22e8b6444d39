import { spawnSync } from 'node:child_process'
import { afterEach, expect, test } from 'vitest'
import { mainPath } from '../../cli/services-command.js'
import { orderBench } from '../../simulation/bench-control.js'
import { shutDownBench } from '../../simulation/bench-directory.js'
import { spawnBench } from '../../simulation/spawn-bench.js'
import { benchOf } from '../support/bench-outputs.js'
import { temporaryDirectory } from '../support/temporary-directory.js'

const home = temporaryDirectory()
afterEach(() => shutDownBench(benchOf(home)))

function check(...options: readonly string[]) {
  const env = { ...process.env, BENCHLOG_HOME: home }
  return spawnSync(process.execPath, [mainPath(), 'check-hardware', ...options], { env, encoding: 'utf8' })
}

test('benchlog check-hardware ends with 0 when all is there, and with 1 when something is missing', async () => {
  const directory = benchOf(home)
  await spawnBench({ directory, seed: 1, logLevel: 'silent' })
  const complete = check()
  expect(complete.stdout).toMatch(/^ok {7}HAT +identifies itself at boot: version 1\.2/m)
  expect(complete.stdout).toContain('Nothing is missing.')
  expect(complete.status).toBe(0)

  await orderBench(directory, 'fault unplugged heater_board')
  const incomplete = check()
  expect(incomplete.stdout).toMatch(/^missing {2}I2C 0x4F .*Nothing answers.*\n +→ Plug the heater board in/m)
  expect(incomplete.stdout).toMatch(/1 of \d+ are missing\./)
  expect(incomplete.status).toBe(1)
  const findings = JSON.parse(check('--json').stdout) as readonly { readonly part: string; readonly status: string }[]
  expect(findings.filter(({ status }) => status === 'missing')).toMatchObject([{ part: 'I2C 0x4F' }])
})

test('without a bench it says how to go on', () => {
  const { stdout, status } = check()
  expect(stdout).toContain('HARDWARE=real')
  expect(status).toBe(1)
})
