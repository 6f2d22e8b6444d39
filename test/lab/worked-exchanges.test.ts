import { afterAll, beforeAll, expect, it } from 'vitest'
import { watch } from '../support/event-watch.js'
import { createLabHome, type Lab } from '../support/start-lab.js'
import { until } from '../support/until.js'

// The exchanges of `unit-api-behaviour.md`, appendix B: REST, tasks and topics together, as only a whole unit has them.
const home = createLabHome()
let lab: Lab

beforeAll(async () => {
  lab = await home.start({ SIMULATED_POTENTIOSTATS: '0' })
})
afterAll(() => home.remove())

interface TaskAnswer {
  readonly status: string
  readonly result?: unknown
  readonly error?: string
}

/** Sends an order and polls its task to the end. */
async function ordered(path: string, body?: unknown): Promise<TaskAnswer> {
  const accepted = await lab.send<{ result_url_path: string }>('POST', `/unit_api/${path}`, body)
  expect(accepted).toMatchObject({ status: 202, body: { unit: 'lab', status: 'accepted' } })
  const { result_url_path } = accepted.body
  await until(async () => (await fetch(lab.url + result_url_path)).status === 200, 'the task to end')
  return lab.get<TaskAnswer>(result_url_path)
}

it('stirring is started as a leader does, set by MQTT and stopped by MQTT', { timeout: 60_000 }, async () => {
  const client = await lab.connect()
  const events = await watch(client, 'pioreactor/lab/exp1/stirring/+')
  const said = (name: string): readonly string[] => events.texts(`/stirring/${name}`)
  const env = { JOB_SOURCE: 'user', EXPERIMENT: 'exp1', HOSTNAME: 'lab', ACTIVE: '1', TESTING: '0' }
  const model = { MODEL_NAME: 'pioreactor_20ml', MODEL_VERSION: '1.5' }
  const order = { args: [], options: { target_rpm: 500 }, config_overrides: [], env: { ...env, ...model } }
  expect(await ordered('jobs/run/job_name/stirring', order)).toMatchObject({
    status: 'succeeded',
    result: { ok: true },
  })
  await until(
    () => said('$state').join() === 'init,ready',
    () => said('$state').join(),
  )
  expect(said('target_rpm').map(Number)).toEqual([500])
  await client.publishAsync('pioreactor/lab/exp1/stirring/target_rpm/set', '600', { qos: 1 })
  await until(() => Number(said('target_rpm').at(-1)) === 600, 'the new speed')
  await client.publishAsync('pioreactor/lab/exp1/stirring/$state/set', 'disconnected', { qos: 1 })
  await until(() => said('$state').at(-1) === 'disconnected' && said('target_rpm').at(-1) === '', 'the end of the job')
})

it('an unknown job is a failed task, in the words that clients look for', async () => {
  const answer = await ordered('jobs/run/job_name/nope', {})
  expect(answer).toMatchObject({ status: 'failed', cause: expect.any(String), remediation: expect.any(String) })
  expect(answer.error).toMatch(/^Command exited during startup grace window\. Exit code 2\. /)
})
