import { connectAsync, type MqttClient } from 'mqtt'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { benchOf, outputsOn, readOutputs } from '../support/bench-outputs.js'
import { watch } from '../support/event-watch.js'
import { rawRequest } from '../support/raw-request.js'
import { createLabHome, type Lab } from '../support/start-lab.js'
import { until } from '../support/until.js'

// What a leader needs of its worker (Pioreactor 26.7). Only a whole unit has the broker's rights, REST, services and bench together. The broker of
// its leader is away all the time: nothing here may depend on it.

const home = createLabHome()
let lab: Lab
let leader: MqttClient
let events: Awaited<ReturnType<typeof watch>>

beforeAll(async () => {
  lab = await home.start({
    MQTT_LEADER_PASSWORD: 'of the leader',
    MQTT_URL: 'mqtt://127.0.0.1:1',
    SIMULATED_POTENTIOSTATS: '0',
    SIMULATION_SPEED: '10',
  })
  leader = await connectAsync(`mqtt://127.0.0.1:${lab.mqttPort}`, { username: 'leader', password: 'of the leader' })
  events = await watch(leader, 'pioreactor/#')
})
afterAll(async () => {
  await leader.endAsync()
  await home.remove()
})

const say = (rest: string, payload: string, unit = 'lab', retain = false) =>
  leader.publishAsync(`pioreactor/${unit}/${rest}`, payload, { qos: 1, retain })

const assign = (experiment: string) => {
  const now = new Date().toISOString()
  const message = { pioreactor_unit: 'lab', experiment, assigned_at: now, updated_at: now }
  return say('$experiment/assignment', JSON.stringify(message), 'lab', true)
}

/** As the leader asks for it on behalf of its pages. */
async function start(job: string, experiment: string, options: Record<string, unknown> = {}): Promise<unknown> {
  const env = { JOB_SOURCE: 'user', EXPERIMENT: experiment, HOSTNAME: 'lab', ACTIVE: '1', TESTING: '0' }
  const model = { MODEL_NAME: 'pioreactor_20ml', MODEL_VERSION: '1.5' }
  const { body } = await lab.send<{ result_url_path: string }>('POST', `/unit_api/jobs/run/job_name/${job}`, {
    ...{ args: [], options, config_overrides: [], env: { ...env, ...model } },
  })
  let answer: { status?: string } = {}
  await until(async () => {
    answer = await lab.get(body.result_url_path)
    return answer.status === 'succeeded' || answer.status === 'failed'
  }, 'the task to end')
  return answer
}

it('is there for the inventory, under each of its names, and says that its leader is away', async () => {
  for (const host of ['lab', 'lab.local', '127.0.0.1']) {
    const { status, text } = await rawRequest(lab.url, '/unit_api/health', { host })
    expect([status, JSON.parse(text)]).toMatchObject([200, { pioreactor_unit: 'lab' }])
  }
  expect(await lab.get('/unit_api/versions/app')).toMatchObject({ version: expect.any(String) as unknown })
  await events.first('$experiment/monitor/$state', (text) => text === 'ready')
  expect(JSON.parse(await events.first('monitor/versions'))).toMatchObject({ app: expect.any(String) as unknown })
  for (const name of ['ipv4', 'wlan_mac_address', 'eth_mac_address']) await events.first(`$experiment/monitor/${name}`)
  await until(
    async () => JSON.stringify(await lab.get('/unit_api/health')).includes('127.0.0.1:1'),
    'the leader missed',
  )
})

it('runs what the leader starts under the experiment it is assigned to, and obeys orders to all units', async () => {
  await assign('growth')
  expect(await start('stirring', 'growth', { target_rpm: 500 })).toMatchObject({ status: 'succeeded' })
  await events.first('lab/growth/stirring/$state', (text) => text === 'ready')
  await say('growth/stirring/target_rpm/set', '600', '$broadcast')
  await events.first('lab/growth/stirring/target_rpm', (text) => Number(text) === 600)
  await say('growth/stirring/$state/set', 'sleeping')
  await events.first('lab/growth/stirring/$state', (text) => text === 'sleeping')
  await say('growth/stirring/$state/set', 'ready', '$broadcast')
  await until(() => events.texts('lab/growth/stirring/$state').at(-1) === 'ready', 'stirring to go on')
  expect(await start('add_media', 'growth', { duration: 3 })).toMatchObject({ status: 'succeeded' })
  await events.first('lab/growth/bioreactor/current_volume_ml')
})

it.each(['lab', '$broadcast'])('shows which unit it is when %s is asked', async (unit) => {
  const states = () => events.seen.filter(({ topic, retain }) => topic.endsWith('monitor/$state') && !retain).length
  const before = states()
  const seen = new Set<boolean>()
  await say('growth/monitor/flicker_led_response_okay', '1', unit)
  await until(() => {
    seen.add(readOutputs(benchOf(lab.home)).status_led)
    return seen.has(true) && states() > before
  }, 'the LED to blink and the state to be said')
})

it('stops the jobs of the experiment it is taken from, and takes those of the next', async () => {
  await assign('next')
  await until(() => events.texts('lab/growth/stirring/$state').at(-1) === 'disconnected', 'stirring to end')
  await until(() => outputsOn(lab.home).length === 0, 'everything to be off')
  expect(await start('stirring', 'next')).toMatchObject({ status: 'succeeded' })
  await events.first('lab/next/stirring/$state', (text) => text === 'ready')
  expect(events.texts('$experiment/monitor/$state').at(-1)).toBe('ready')
})

it('goes on without it', async () => {
  await leader.endAsync()
  expect(
    await start('temperature_automation', 'next', { automation_name: 'thermostat', target_temperature: 32 }),
  ).toMatchObject({
    status: 'succeeded',
  })
  const running = await lab.get<readonly { job_name: string }[]>('/unit_api/jobs/running')
  expect(running.map(({ job_name }) => job_name)).toEqual(
    expect.arrayContaining(['stirring', 'temperature_automation']),
  )
})
