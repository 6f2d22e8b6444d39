import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { openEventLogReader } from '../../event-log/reader.js'
import { compileFilters } from '../../events/filter-tree.js'
import { isCommandTopic } from '../../events/topic.js'
import { retainedAt } from '../bridge/bridge-lab.js'
import { eventually } from '../support/eventually.js'
import { createLabHome, type LabHome } from '../support/start-lab.js'
import { until } from '../support/until.js'

let site: LabHome
let home: LabHome

beforeEach(() => {
  site = createLabHome()
  home = createLabHome()
})
afterEach(async () => {
  await home.remove()
  await site.remove()
})

const SITE = { UNIT_NAME: 'site', MQTT_WORKER_PASSWORD: 'works', MQTT_LEADER_PASSWORD: 'leads' }
const STIRRING = 'pioreactor/worker/growth/stirring'
const MONITOR = 'pioreactor/worker/$experiment/monitor/$state'
const ASSIGNMENT = 'pioreactor/worker/$experiment/assignment'

/** What a log holds of the worker's, in its order, as `topic payload`; no order, and not what a leader decides. */
function told(directory: string): readonly string[] {
  const reader = openEventLogReader(join(directory, 'event-log.db'))
  const events = reader.read({ after: 0, limit: 100_000, match: compileFilters(['pioreactor/worker/#']) })
  reader.close()
  return events
    .filter(({ topic }) => topic !== ASSIGNMENT && !isCommandTopic(topic))
    .map(({ topic, payload }) => `${topic} ${Buffer.from(payload).toString()}`)
}

/** The first of these that does not follow the ones before it among those; undefined when all do. */
function firstMissing(these: readonly string[], those: readonly string[]): string | undefined {
  let at = 0
  return these.find((line) => {
    while (at < those.length && those[at] !== line) at++
    return at++ >= those.length
  })
}

// A will, a cursor and an order that come too late are those of a process that is killed: only whole units have them.
it('two units on one machine are a worker and its site: orders, states, a kill at any moment, and all of it afterwards', async () => {
  const leaderUnit = await site.start(SITE)
  const atSite = await leaderUnit.connect()
  const settings = {
    UNIT_NAME: 'worker',
    MQTT_URL: `mqtt://worker:works@127.0.0.1:${leaderUnit.mqttPort}`,
    BRIDGE_FAMILIES: 'pioreactor',
  }
  const worker = await home.start(settings)
  const start = { env: { EXPERIMENT: 'growth' } }
  await eventually(async () => {
    expect((await worker.send('POST', '/unit_api/jobs/run/job_name/stirring', start)).status).toBe(202)
  })
  const states = async () => Object.fromEntries(await retainedAt(atSite, 'pioreactor/worker/+/+/$state'))
  await eventually(async () =>
    expect(await states()).toMatchObject({ [`${STIRRING}/$state`]: 'ready', [MONITOR]: 'ready' }),
  )
  await atSite.publishAsync(`${STIRRING}/target_rpm/set`, '321', { qos: 1 })
  const rpm = async () => (await retainedAt(atSite, `${STIRRING}/target_rpm`)).get(`${STIRRING}/target_rpm`)
  await eventually(async () => expect(Number(await rpm())).toBe(321))
  const jobs = await leaderUnit.get<readonly { job_name: string }[]>('/unit_api/jobs/running')
  expect(jobs.map(({ job_name }) => job_name)).not.toContain('stirring')

  await worker.killAll()
  await eventually(async () =>
    expect(await states()).toMatchObject({ [`${STIRRING}/$state`]: 'lost', [MONITOR]: 'lost' }),
  )
  await atSite.publishAsync(`${STIRRING}/target_rpm/set`, '999', { qos: 1 })
  const again = await home.start(settings)
  await eventually(async () =>
    expect(await states()).toMatchObject({ [`${STIRRING}/$state`]: 'lost', [MONITOR]: 'ready' }),
  )
  expect(await again.interrupt()).toBe(0)
  await until(() => told(home.home).length > 0, 'the log')
  expect(firstMissing(told(home.home), told(site.home))).toBeUndefined()
  const ours = openEventLogReader(join(home.home, 'event-log.db'))
  const kept = ours
    .retained('pioreactor/worker/#')
    .map(({ topic, payload }) => [topic, Buffer.from(payload).toString()])
  const executed = ours.read({ after: 0, limit: 100_000, match: compileFilters([`${STIRRING}/target_rpm/set`]) })
  ours.close()
  expect(Object.fromEntries(await retainedAt(atSite, 'pioreactor/worker/#'))).toEqual(Object.fromEntries(kept))
  expect(executed.map(({ client, payload }) => [client, Buffer.from(payload).toString()])).toEqual([
    [`bridge 127.0.0.1:${leaderUnit.mqttPort}`, '321'],
  ])
}, 240_000)
