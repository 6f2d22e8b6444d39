import { afterAll, beforeAll, expect, it } from 'vitest'
import { fuzzUnit } from '../support/http-fuzzer/fuzz-unit.js'
import { createLabHome, type Lab } from '../support/start-lab.js'

const requests = Number(process.env['FUZZ_REQUESTS'] ?? 30_000)
const seed = Number(process.env['FUZZ_SEED'] ?? 1)
/** A thousand requests take some ten seconds. */
const TIMEOUT_MS = 120_000 + requests * 40

const home = createLabHome()
let lab: Lab

beforeAll(async () => {
  lab = await home.start({ LOG_LEVEL: 'warn' })
})
afterAll(() => home.remove())

it(`an honest client beside ${requests} requests of any kind is answered within 50 ms, 99 times of a hundred`, {
  timeout: TIMEOUT_MS,
}, async ({ annotate }) => {
  const honest = await fuzzUnit(lab, { seed, requests, lanes: 2 })
  await annotate(`an honest client meanwhile: ${JSON.stringify(honest)}`)
  expect(lab.main.exitCode).toBeNull()
  expect(lab.output()).not.toMatch(/request failed|unhandled|uncaught/i)
  expect(honest).toMatchObject({ failures: 0 })
  expect(honest.p99Ms).toBeLessThan(50)
  expect(await lab.interrupt()).toBe(0)
  const verified = home.launch({}, 'verify')
  expect(await verified.exited(), verified.output()).toBe(0)
})
