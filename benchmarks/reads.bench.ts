import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { endpoints } from '../http-gateway/endpoints/index.js'
import { type Endpoint, methodsOf } from '../http-gateway/framework/endpoint.js'
import { createLabHome, type Lab } from '../test/support/start-lab.js'
import { until } from '../test/support/until.js'
import type { Constant } from './constant-server.js'
import { writeHistoryLog } from './history-log.js'
import { endChild, type Load, startLoad } from './load.js'
import { describeLoad } from './machine.js'
import type { ReadFigures } from './read-load.js'
import type { Print, Scenario } from './scenario.js'
import { formatCount, renderTable, verdict } from './table.js'

const HISTORY = 5000
const CONNECTIONS = [1, 10, 50] as const
const SECONDS = 0.5
const FLOOR = 0.7
const HEALTH_MS = 50
/** Making directories for thousands of runs takes its time once. */
const READY_MS = 300_000

/** Values of parameters, of things that are there. */
const PARAMETERS: Readonly<Record<string, string>> = {
  run_id: `20261120T090000_${HISTORY.toString(16).padStart(6, '0')}`,
  mode: 'CV',
  job_name: 'stirring',
  setting: 'target_rpm',
  experiment: 'benchmark',
  automation_type: 'dosing',
  task_id: 'unknown',
  device: 'media_pump',
}

/** Every read of both APIs that answers 2xx with JSON or text, beside Express answering the same bytes from a constant, while events come in. */
export const readsScenario: Scenario = {
  name: 'reads',
  summary: `every GET of both APIs with ${HISTORY} runs and jobs, under 1000 events/s: requests/s beside a constant Express handler`,
  async run(print: Print) {
    const home = createLabHome()
    const constant = fork(fileURLToPath(new URL('./constant-server.js', import.meta.url)))
    const events = fork(fileURLToPath(new URL('./event-stream.js', import.meta.url)))
    const load = startLoad()
    const probe = startLoad()
    try {
      const [{ port: constantPort }] = (await once(constant, 'message')) as [{ readonly port: number }]
      writeHistoryLog(join(home.home, 'event-log.db'), HISTORY)
      const lab = await home.start({ LOG_LEVEL: 'silent' })
      const port = Number(new URL(lab.url).port)
      await lab.send('POST', '/unit_api/jobs/run/job_name/stirring', { env: { EXPERIMENT: 'benchmark' } })
      await until(async () => (await fetch(`${lab.url}/jobs`)).status === 200, 'the history', READY_MS)
      await until(async () => (await lab.get<object[]>('/unit_api/jobs/running/stirring')).length > 0, 'a job')
      const constants = await constantsOf(lab)
      for (const told of constants) await tell(constant, told)
      events.send({ port: lab.mqttPort, perSecond: 1000 })
      const rows = await measure(load, constants, { port, constantPort })
      report(print, rows)
      // Whoever asks for the longest list again and again must not keep others waiting.
      const beside = load.reads({ port, path: '/jobs', connections: 50, seconds: 5 })
      const health = await probe.reads({ port, path: '/unit_api/health', connections: 1, seconds: 5 })
      await beside
      const told = `p99 ${health.p99Ms.toFixed(1)} ms, at most ${health.maxMs.toFixed(1)} ms`
      print(verdict(health.maxMs < HEALTH_MS, `health within ${HEALTH_MS} ms beside 50 readers of all runs`, told))
      print(describeLoad())
    } finally {
      await Promise.all([load.stop(), probe.stop(), endChild(constant), endChild(events)])
      await home.remove()
    }
  },
}

const isRead = (endpoint: Endpoint): boolean =>
  methodsOf(endpoint).includes('get') && !/stream|\*|\.png|\/zip|zipped|\/file$/.test(endpoint.path)

/** What the unit answers now. */
async function constantsOf(lab: Lab): Promise<readonly Constant[]> {
  const paths = endpoints
    .filter(isRead)
    .map(({ path }) => path.replace(/:(\w+)/g, (_, name: string) => PARAMETERS[name] ?? 'x'))
  const answers = await Promise.all(
    [...new Set(paths)].map(async (path) => {
      const response = await fetch(lab.url + path, { redirect: 'manual' })
      const body = Buffer.from(await response.arrayBuffer()).toString('base64')
      return { path, body, ok: response.ok, type: response.headers.get('content-type') ?? '' }
    }),
  )
  return answers.flatMap(({ ok, ...answer }) => (ok ? [answer] : []))
}

async function tell(constant: ChildProcess, told: Constant): Promise<void> {
  constant.send(told)
  await once(constant, 'message')
}

interface Row {
  readonly path: string
  readonly bytes: number
  readonly connections: number
  readonly ours: ReadFigures
  readonly ratio: number
}

/** Unit and constant take turns, so that other work on the machine meets both. */
async function measure(
  load: Load,
  constants: readonly Constant[],
  { port, constantPort }: { readonly port: number; readonly constantPort: number },
): Promise<readonly Row[]> {
  const rows: Row[] = []
  for (const { path, body } of constants) {
    for (const connections of CONNECTIONS) {
      const order = { path, connections, seconds: SECONDS }
      const ours = await load.reads({ port, ...order })
      const ceiling = await load.reads({ port: constantPort, ...order })
      const bytes = Buffer.from(body, 'base64').length
      rows.push({ path, bytes, connections, ours, ratio: ours.perSecond / ceiling.perSecond })
    }
  }
  return rows
}

function report(print: Print, rows: readonly Row[]): void {
  print(
    renderTable(
      ['', 'bytes', 'connections', 'requests/s', 'p50 ms', 'p99 ms', '× constant'],
      rows.map(({ path, bytes, connections, ours, ratio }) => [
        path,
        formatCount(bytes),
        String(connections),
        formatCount(ours.perSecond),
        ours.p50Ms.toFixed(2),
        ours.p99Ms.toFixed(2),
        ratio.toFixed(2),
      ]),
    ),
  )
  const low = rows.filter(({ ratio }) => ratio < FLOOR)
  const told = `${rows.length - low.length} of ${rows.length}, the least ${Math.min(...rows.map(({ ratio }) => ratio)).toFixed(2)} ×`
  print(verdict(low.length === 0, `every read ${FLOOR} × the constant`, told))
}
