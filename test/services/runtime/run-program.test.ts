import { expect, test } from 'vitest'
import { runProgram } from '../../../services/runtime/run-program.js'

test('a program gets its arguments as they are, no shell reads them, and its environment is the one given', async () => {
  const args = ['-e', 'console.log(JSON.stringify([process.argv.slice(1), process.env]))', '$(id); `id`', 'a b']
  const { code, stdout } = await runProgram(process.execPath, args, { env: { A: 'b' }, timeoutMs: 10_000 })
  expect([code, JSON.parse(stdout)]).toEqual([0, [['$(id); `id`', 'a b'], expect.objectContaining({ A: 'b' })]])
  expect(stdout).not.toContain('PATH')
})

test.each([
  ['late', process.execPath, ['-e', 'setInterval(() => 0, 1000)']],
  ['missing', '/nonexistent/program', []],
])('a program that is %s gives no result, and the reason', async (reason, program, args) => {
  await expect(runProgram(program, args, { timeoutMs: 300 })).rejects.toMatchObject({ reason })
})
