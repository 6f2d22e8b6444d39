import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import type { MqttClient } from 'mqtt'
import { afterAll, describe, expect, it } from 'vitest'
import { openEventLogReader } from '../../event-log/reader.js'
import { verifyLog } from '../../event-log/verify.js'
import { compileFilters } from '../../events/filter-tree.js'
import type { EventLogReader } from '../../events/ports.js'
import { rebuildReadModels } from '../../projections/rebuild.js'
import { orderBench } from '../../simulation/bench-control.js'
import type { VialTruth } from '../../simulation/bioreactor/truth.js'
import { benchOf, outputsOn } from './bench-outputs.js'
import { processState } from './process-state.js'
import { findGuardian } from './processes.js'
import { createLabHome, type Lab } from './start-lab.js'
import { JOBS, ML_PER_S, secondsUntilOff, startWork, WORK_ENV } from './start-work.js'
import { tableContents } from './table-contents.js'
import { until } from './until.js'

/** Outputs must be safe so long after a death, ms: heartbeat timeout, and the guardian's run. */
const SAFE_WITHIN_MS = 3000
/** Silence is noticed after 2 s by the supervisor, after 2.5 s by the guardian, who acts then. */
const SILENCE_NOTICED_MS = 2500

type Death = (lab: Lab) => Promise<void>

const deaths: readonly {
  readonly name: string
  readonly kill: Death
  readonly unitLives: boolean
  /** What brings a unit that is only stopped back to life, once its outputs are safe. */
  readonly revive?: Death
  readonly safeWithinMs: number
}[] = [
  {
    name: 'kill -9 of the whole process group',
    kill: (lab) => lab.killAll(),
    unitLives: false,
    safeWithinMs: SAFE_WITHIN_MS,
  },
  { name: 'kill -9 of main', kill: killMain, unitLives: false, safeWithinMs: SAFE_WITHIN_MS },
  { name: 'kill -9 of the services', kill: signalServices('SIGKILL'), unitLives: true, safeWithinMs: SAFE_WITHIN_MS },
  {
    name: 'kill -9 of the services together with their guardian',
    kill: async (lab) => {
      const services = lab.servicesPid()
      const guardian = findGuardian(lab.home)
      if (guardian === undefined) throw new Error('no guardian')
      // Frozen, they start no other one.
      process.kill(services, 'SIGSTOP')
      for (const pid of [guardian.pid, services]) process.kill(pid, 'SIGKILL')
    },
    unitLives: true,
    safeWithinMs: SAFE_WITHIN_MS,
  },
  {
    name: 'services that hang',
    kill: signalServices('SIGSTOP'),
    unitLives: true,
    safeWithinMs: SAFE_WITHIN_MS + SILENCE_NOTICED_MS,
  },
  {
    name: 'services that hang when main is killed',
    kill: async (lab) => {
      process.kill(lab.servicesPid(), 'SIGSTOP')
      await killMain(lab)
    },
    unitLives: false,
    safeWithinMs: SAFE_WITHIN_MS + SILENCE_NOTICED_MS,
  },
  {
    name: 'a frozen process group that goes on later',
    kill: freeze('SIGSTOP'),
    revive: goOn,
    unitLives: true,
    safeWithinMs: SAFE_WITHIN_MS + SILENCE_NOTICED_MS,
  },
  {
    name: 'a Ctrl-Z and a later fg',
    kill: freeze('SIGTSTP'),
    revive: goOn,
    unitLives: true,
    // Before it stops.
    safeWithinMs: 500,
  },
]

/** Stops the whole group; what comes after it goes on. */
function freeze(signal: 'SIGSTOP' | 'SIGTSTP'): Death {
  return async (lab) => {
    const group = -Number(lab.main.pid)
    process.kill(group, signal)
    await until(() => processState(Number(lab.main.pid)) === 'T', 'main to be stopped')
  }
}

async function goOn(lab: Lab): Promise<void> {
  process.kill(-Number(lab.main.pid), 'SIGCONT')
}

async function killMain(lab: Lab): Promise<void> {
  lab.main.kill('SIGKILL')
  await until(() => lab.main.signalCode !== null, 'main to be gone')
}

function signalServices(signal: 'SIGKILL' | 'SIGSTOP'): Death {
  return async (lab) => {
    process.kill(lab.servicesPid(), signal)
  }
}

/** Kills a working unit again and again, each time in another way, and compares what it finds with what was promised.
 * @param times how often each death is died. */
export function crashSuite(times: number): void {
  describe.each(deaths)('after $name', ({ kill, revive, unitLives, safeWithinMs }) => {
    const home = createLabHome()
    afterAll(() => home.remove())

    it(`nothing is lost, outputs are safe and the truth is told, ${times} times`, {
      timeout: 60_000 * times,
    }, async () => {
      for (let time = 0; time < times; time++) {
        const lab = await home.start(WORK_ENV)
        const runId = await startWork(lab)
        const load = await startLoad(lab)
        await until(() => load.acknowledged.length > 50, 'load')
        await kill(lab)
        const seconds = await secondsUntilOff(lab.home, safeWithinMs)
        expect(1000 * Math.max(...Object.values(seconds))).toBeLessThan(safeWithinMs)
        await revive?.(lab)
        await load.stop()
        const next = unitLives ? lab : await home.start(WORK_ENV)
        await tellsTheTruth(next, runId)
        await tellsWhatMoved(next, time + 1)
        expect(outputsOn(lab.home)).toEqual([])
        expect(await next.interrupt()).toBe(0)
        await keptItsPromises(lab.home, load.acknowledged)
        await lab.killAll()
      }
    })
  })
}

interface Sent {
  readonly topic: string
  readonly payload: string
}

/** Publishes as fast as acknowledgements come back, retained and not, and remembers which were acknowledged. */
async function startLoad(lab: Lab) {
  const client: MqttClient = await lab.connect()
  client.on('error', () => undefined)
  const acknowledged: Sent[] = []
  const life = `${Date.now()}-${process.pid}-${Math.random()}`
  let stopped = false
  let sent = 0
  const publish = (): void => {
    if (stopped || !client.connected) return
    const message = { topic: `load/${sent % 20}`, payload: `${life}-${sent}` }
    const retain = sent++ % 3 === 0
    client.publish(message.topic, message.payload, { qos: 1, retain }, (error) => {
      if (error === undefined || error === null) acknowledged.push(message)
      setImmediate(publish)
    })
  }
  for (let lane = 0; lane < 5; lane++) publish()
  return {
    acknowledged,
    async stop() {
      stopped = true
      await client.endAsync(true)
    },
  }
}

/** What clients see afterwards: jobs lost, the run failed with a reason. */
async function tellsTheTruth(lab: Lab, runId: string): Promise<void> {
  interface Job {
    readonly job_name: string
    readonly ended_at: string | null
  }
  await until(
    async () => (await lab.get<Job[]>('/unit_api/jobs/running/experiments/crash')).length === 0,
    'interrupted jobs to be ended',
  )
  const client = await lab.connect()
  const states = new Map<string, string>()
  client.on('message', (topic, payload) => states.set(topic.split('/').at(-2) ?? '', payload.toString()))
  await client.subscribeAsync('pioreactor/lab/crash/+/$state')
  await until(
    () => JOBS.every((job) => states.get(job) === 'lost'),
    () => `lost jobs, but states are ${JSON.stringify([...states])}`,
  )
  const outputs = new Map<string, string>()
  client.on('message', (topic, payload) => outputs.set(topic, payload.toString()))
  await client.subscribeAsync(['pioreactor/lab/crash/pwms/dc', 'pioreactor/lab/crash/leds/intensity'])
  await until(
    () => ['{}', '{"A":0,"B":0,"C":0,"D":0}'].every((off) => [...outputs.values()].includes(off)),
    () => `outputs to be told as off, but told is ${JSON.stringify([...outputs])}`,
  )
  await client.endAsync()
  interface Run {
    readonly status: string
    readonly slots: readonly { readonly message: string | null }[]
  }
  await until(
    async () => (await lab.get<Run>(`/jobs/${runId}`)).status === 'failed',
    'the interrupted run to be failed',
  )
  const { slots } = await lab.get<Run>(`/jobs/${runId}`)
  for (const { message } of slots) expect(message).toMatch(/\w+/)
}

/** Half a second until a pump is known to run, and as much for the moment when it went off, of the machine. */
const UNCERTAIN_ML = ML_PER_S * Number(WORK_ENV.SIMULATION_SPEED)

/** The account of the vial against the vial. @param deaths so far: each may cost a little. */
async function tellsWhatMoved(lab: Lab, deaths: number): Promise<void> {
  const client = await lab.connect()
  let account: { pumping: unknown[]; liquid: { added_ml: Record<string, number> } } | null = null
  client.on('message', (_, payload) => {
    account = JSON.parse(payload.toString()) as typeof account
  })
  await client.subscribeAsync('system/lab/liquids/crash')
  await until(
    () => account?.pumping.length === 0,
    () => `an account without pumps, but it is ${JSON.stringify(account)}`,
  )
  await client.endAsync()
  const { media_in_ml, alt_media_in_ml } = (await orderBench(benchOf(lab.home), 'truth')) as VialTruth
  const told = account as { liquid: { added_ml: Record<string, number> } } | null
  const { media = 0, alt_media = 0 } = told?.liquid.added_ml ?? {}
  for (const [said, moved] of [
    [media, media_in_ml],
    [alt_media, alt_media_in_ml],
  ] as const) {
    expect(moved).toBeGreaterThan(0)
    expect(Math.abs(said - moved)).toBeLessThan(deaths * UNCERTAIN_ML)
  }
}

/** What lies on disk: every acknowledged event, no gap, retained values and read models that equal the fold of the log. */
async function keptItsPromises(home: string, acknowledged: readonly Sent[]): Promise<void> {
  const logPath = join(home, 'event-log.db')
  expect(verifyLog(logPath).problems).toEqual([])
  const log = openEventLogReader(logPath)
  try {
    const recorded = new Set(payloadsOf(log))
    expect(acknowledged.filter(({ payload }) => !recorded.has(payload))).toEqual([])
  } finally {
    log.close()
  }
  const directory = mkdtempSync(join(tmpdir(), 'rebuilt-'))
  try {
    const rebuilt = join(directory, 'read-models.db')
    await rebuildReadModels({ eventLogPath: logPath, readModelsPath: rebuilt })
    expect(contentsOf(join(home, 'read-models.db'))).toEqual(contentsOf(rebuilt))
  } finally {
    rmSync(directory, { recursive: true, force: true })
  }
}

function* payloadsOf(log: EventLogReader): Iterable<string> {
  let after = 0
  for (;;) {
    const page = log.read({ after, limit: 5000, match: compileFilters(['load/#']) })
    for (const event of page) yield Buffer.from(event.payload).toString()
    const last = page.at(-1)
    if (last === undefined) return
    after = last.position
  }
}

function contentsOf(path: string): ReturnType<typeof tableContents> {
  const database = new Database(path, { readonly: true })
  try {
    return tableContents(database)
  } finally {
    database.close()
  }
}
