import { afterAll, beforeAll, expect, it } from 'vitest'
import { boxClient } from '../support/box-client.js'
import { fuzzChanges, fuzzUnit } from '../support/http-fuzzer/fuzz-unit.js'
import { createLabHome, type Lab } from '../support/start-lab.js'
import { until } from '../support/until.js'

const home = createLabHome()
let lab: Lab

beforeAll(async () => {
  lab = await home.start({ LOG_LEVEL: 'warn' })
  const box = boxClient(lab.url)
  const order = {
    devices: ['slot01'],
    modes: ['CA'],
    params_by_mode: { CA: { potential: 0.1, duration: 0.2 } },
    tia_gain: 1,
  }
  await box.ended(await box.order({ ...order, experiment_name: 'fuzz', client_datetime: '2026-01-31T10-15-31' }))
  await lab.send('POST', '/unit_api/jobs/run/job_name/stirring', { env: { EXPERIMENT: 'growth' } })
  const setting = `${lab.url}/unit_api/jobs/settings/job_name/stirring/setting/target_rpm`
  await until(async () => (await fetch(setting)).ok, 'the stirrer to tell its speed')
})
afterAll(() => home.remove())

it('a request that is refused changes nothing', { timeout: 120_000 }, async ({ annotate }) => {
  const counts = await fuzzChanges(lab, { seed: 11, requests: 300 })
  await annotate(JSON.stringify(counts))
  expect(counts.refused).toBeGreaterThan(50)
  expect(counts.changed).toBeGreaterThan(0)
})

it('requests of any kind get the answers that are documented, and the unit and its log are as sound as before', {
  timeout: 240_000,
}, async ({ annotate }) => {
  const services = lab.servicesPid()
  const honest = await fuzzUnit(lab, { seed: 7, requests: 3000, lanes: 4 })
  await annotate(`an honest client meanwhile: ${JSON.stringify(honest)}`)
  expect(honest.failures).toBe(0)
  expect(lab.main.exitCode).toBeNull()
  expect(lab.servicesPid()).toBe(services)
  expect(await lab.get('/unit_api/health')).toMatchObject({ status: 'ok' })
  expect(lab.output()).not.toMatch(/request failed|unhandled|uncaught/i)
  expect(await lab.interrupt()).toBe(0)
  const verified = home.launch({}, 'verify')
  expect(await verified.exited(), verified.output()).toBe(0)
})
