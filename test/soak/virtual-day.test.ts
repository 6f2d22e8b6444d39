import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { openEventLogReader } from '../../event-log/reader.js'
import { verifyLog } from '../../event-log/verify.js'
import { type DosingEvent, dosingEvent } from '../../events/bioreactor/liquids.js'
import { logEvent } from '../../events/bioreactor/logs.js'
import { compileFilters } from '../../events/filter-tree.js'
import { matchesFilter } from '../../events/topic.js'
import { orderBench } from '../../simulation/bench-control.js'
import type { VialTruth } from '../../simulation/bioreactor/truth.js'
import { benchOf } from '../support/bench-outputs.js'
import { isAlive } from '../support/is-alive.js'
import { createLabHome, type Lab } from '../support/start-lab.js'
import { CULTURE_JOBS, latest, startUnitCulture } from '../support/unit-culture.js'
import { until } from '../support/until.js'

const HOURS = Number(process.env['DAY_HOURS'] ?? 24)
const KILLS = Number(process.env['DAY_KILLS'] ?? 5)
const SPEED = Number(process.env['DAY_SPEED'] ?? 60)

const UNIT = 'lab'
const EXPERIMENT = 'day'
const TARGET = 0.2
const READING_S = 5
/** Milliseconds for which the bench waits for a processor are parts of a second of a pump: in a day they are nothing. */
const WAITING_ML = 0.5
const of = { unit: UNIT, experiment: EXPERIMENT }
const topic = (rest: string): string => `pioreactor/${UNIT}/${EXPERIMENT}/${rest}`
const realMs = (virtualS: number): number => (virtualS * 1000) / SPEED

/** A pump whose process died runs until the outputs are off, half a second of the machine. At a high speed that is so much medium that dosing
 * rightly pauses for want of room; of waste it draws air. */
const MOMENT = SPEED <= 20 ? 'add_media' : 'remove_waste'

const DEATHS = ['services', 'main', 'main and services'] as const

test(
  `${HOURS} h of a turbidostat at speed ${SPEED}, with ${KILLS} kills: the log tells what was so, no dose comes twice, the culture lives`,
  async () => {
    const home = createLabHome()
    onTestFinished(() => home.remove())
    const start = (): Promise<Lab> =>
      home.start({
        UNIT_NAME: UNIT,
        SIMULATION_SPEED: String(SPEED),
        SIMULATED_POTENTIOSTATS: '0',
        RESUME_JOBS: CULTURE_JOBS.join(','),
      })
    let lab = await start()
    await startUnitCulture(lab, EXPERIMENT, TARGET)

    const began = performance.now()
    const sleepUntil = (virtualS: number): Promise<void> =>
      new Promise((resolve) => setTimeout(resolve, Math.max(0, began + realMs(virtualS) - performance.now())))
    const table: string[] = []
    for (let kill = 0; kill < KILLS; kill++) {
      await sleepUntil(((kill + 0.7) * HOURS * 3600) / KILLS)
      const death = DEATHS[kill % DEATHS.length] ?? 'main'
      // Every other time in the middle of a dose.
      const inDose = kill % 2 === 0
      if (inDose) await pumping(lab)
      await die(lab, death)
      if (death !== 'services') lab = await start()
      await allReady(lab)
      const { told, real } = await volumes(lab)
      table.push(`${death} killed${inDose ? ' in a dose' : ''}: the account says ${told} mL, there are ${real} mL`)
      process.stdout.write(`${table.at(-1)}\n`)
      expect.soft(Math.abs(told / real - 1), table.at(-1)).toBeLessThan(0.01)
    }
    await sleepUntil(HOURS * 3600)
    await allReady(lab)
    const { told, real, truth } = await volumes(lab)
    process.stdout.write(`at the end the account says ${told} mL, there are ${real} mL; ${JSON.stringify(truth)}\n`)
    expect(await lab.interrupt()).toBe(0)

    expect(Math.abs(told / real - 1)).toBeLessThan(0.01)
    expect(truth.spilled_ml).toBe(0)
    expect(truth.od).toBeGreaterThan(0.9 * TARGET)
    expect(truth.od).toBeLessThan(1.15 * TARGET)
    expect(truth.growth_rate_per_hour).toBeGreaterThan(0.3)
    expect(verifyLog(join(home.home, 'event-log.db')).problems).toEqual([])
    expectDosesOnce(home.home, truth)
    expectGapsTold(home.home)
  },
  realMs(HOURS * 3600) + 120_000 + KILLS * 60_000,
)

/** Resolves while a pump runs that has far to go. */
async function pumping(lab: Lab): Promise<void> {
  const client = await lab.connect()
  await client.subscribeAsync(dosingEvent.topic(of), { qos: 1 })
  await new Promise<void>((resolve) =>
    client.on('message', (_, payload) => {
      if (payload.toString().includes(MOMENT)) resolve()
    }),
  )
  client.end(true)
}

async function die(lab: Lab, death: (typeof DEATHS)[number]): Promise<void> {
  const services = lab.servicesPid()
  if (death !== 'main') process.kill(services, 'SIGKILL')
  if (death !== 'services') {
    lab.main.kill('SIGKILL')
    await until(() => lab.main.signalCode !== null, 'main to be gone')
  }
  await until(() => !isAlive(services), 'the services to be gone')
}

/** Every job has come back, and the first reading after it is there. */
async function allReady(lab: Lab): Promise<void> {
  await until(
    async () => {
      const running = await lab
        .get<{ job_name: string; experiment: string }[]>('/unit_api/jobs/running')
        .catch(() => [])
      return CULTURE_JOBS.every((job) => running.some(({ job_name }) => job_name === job))
    },
    () => `jobs to run again\n${lab.output().slice(-3000)}`,
    60_000,
  )
  const client = await lab.connect()
  try {
    for (const job of CULTURE_JOBS) await latest(client, topic(`${job}/$state`), (text) => text === 'ready')
  } finally {
    client.end(true)
  }
}

/** What the account says and what is so, mL, at a moment when no pump runs. */
async function volumes(lab: Lab) {
  const client = await lab.connect()
  let account: { told: number; isStill: boolean } = { told: Number.NaN, isStill: false }
  client.on('message', (_, payload) => {
    const { liquid, pumping } = JSON.parse(payload.toString()) as { liquid: { volume_ml: number }; pumping: unknown[] }
    account = { told: liquid.volume_ml, isStill: pumping.length === 0 }
  })
  await client.subscribeAsync(`system/${UNIT}/liquids/${EXPERIMENT}`, { qos: 1 })
  const order = async (): Promise<VialTruth> => (await orderBench(benchOf(lab.home), 'truth')) as VialTruth
  let truth = await order()
  let told = Number.NaN
  await until(async () => {
    const before = account
    truth = await order()
    const later = await order()
    told = before.told
    const isStill = later.media_in_ml === truth.media_in_ml && later.waste_out_ml === truth.waste_out_ml
    return isStill && before.isStill && before === account
  }, 'a moment without a dose')
  client.end(true)
  return { told, real: truth.volume_ml, truth }
}

/** Events of the log on a filter, in order. */
function recorded(home: string, filter: string): readonly { readonly topic: string; readonly text: string }[] {
  const reader = openEventLogReader(join(home, 'event-log.db'))
  try {
    const match = compileFilters([filter])
    const found: { topic: string; text: string }[] = []
    for (let after = 0; ; ) {
      const page = reader.read({ after, limit: 5000, match })
      found.push(...page.map(({ topic, payload }) => ({ topic, text: Buffer.from(payload).toString() })))
      const last = page.at(-1)
      if (last === undefined) return found
      after = last.position
    }
  } finally {
    reader.close()
  }
}

/** No dose stands in the log twice, and all of them together are what pumps have moved. */
function expectDosesOnce(home: string, truth: VialTruth): void {
  const doses = recorded(home, dosingEvent.topic(of)).map(({ text }) => text)
  expect(doses.filter((text, index) => doses.indexOf(text) !== index)).toEqual([])
  const moved = new Map<string, number>()
  for (const { event, volume_change } of doses.map((text) => JSON.parse(text) as DosingEvent)) {
    moved.set(event, (moved.get(event) ?? 0) + volume_change)
  }
  const told = { media: moved.get('add_media') ?? 0, waste: moved.get('remove_waste') ?? 0 }
  process.stdout.write(`told ${JSON.stringify(told)}, moved ${truth.media_in_ml} and ${truth.waste_out_ml} mL\n`)
  expect(told.media).toBeGreaterThan(1)
  for (const [said, real] of [
    [told.media, truth.media_in_ml],
    [told.waste, truth.waste_out_ml],
  ] as const) {
    expect(Math.abs(said - real)).toBeLessThan(0.02 * real + WAITING_ML)
  }
}

/** Where readings are missing, the log says so before the second reading after the gap: that the job was interrupted, once for each kill, or that the
 * computer was too busy for them, which is known only when a reading under way has ended. */
function expectGapsTold(home: string): void {
  const ods = topic('od_reading/ods')
  const logs = logEvent.filter({ ...of, source: 'app' })
  let lastMs = Number.NaN
  let interruptions = 0
  let isTold = false
  let gap: string | null = null
  const untold: string[] = []
  for (const { topic: at, text } of recorded(home, `pioreactor/${UNIT}/${EXPERIMENT}/#`)) {
    if (matchesFilter(logs, at) && text.includes('od_reading was interrupted')) {
      interruptions++
      isTold = true
    }
    if (matchesFilter(logs, at) && / missing: the computer was too busy/.test(text)) isTold = true
    if (at !== ods || text === '') continue
    const ms = Date.parse((JSON.parse(text) as { timestamp: string }).timestamp)
    expect(ms > lastMs || Number.isNaN(lastMs), `${text} comes after ${lastMs}`).toBe(true)
    if (gap !== null && !isTold) untold.push(gap)
    const isGap = ms - lastMs > 2.5 * READING_S * 1000
    gap = isGap && !isTold ? `${new Date(lastMs).toISOString()} to ${new Date(ms).toISOString()}` : null
    isTold = false
    lastMs = ms
  }
  expect(untold).toEqual([])
  expect(interruptions).toBe(KILLS)
}
