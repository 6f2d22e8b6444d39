import { type ChildProcess, fork } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, it } from 'vitest'
import { openEventLogReader } from '../../event-log/reader.js'
import { verifyLog } from '../../event-log/verify.js'
import { compileFilters } from '../../events/filter-tree.js'
import { isAlive } from './is-alive.js'
import { RememberingPublisher, RememberingSubscriber } from './remembering-clients.js'
import { createLabHome, type Lab } from './start-lab.js'
import { until } from './until.js'

/** A session repeats what was not acknowledged one second earlier; on a busy machine a timer and an answer come late. */
const REPEATED_MS = 2000
const DEATHS = ['main', 'services', 'main and services', 'everything'] as const
type Death = (typeof DEATHS)[number]

/** Kills main, services, both and everything by turns under load, so many times in all, and compares the log and what subscribers got with
 * what was acknowledged. */
export function killSuite(kills: number): void {
  const home = createLabHome()
  afterAll(() => home.remove())

  it(`${kills} kills lose nothing, record nothing twice and repeat a second at most`, {
    timeout: 60_000 + 15_000 * kills,
  }, async () => {
    const publishers = [1, 2].map((n) => new RememberingPublisher(`publisher-${n}`))
    const subscriber = new RememberingSubscriber('subscriber')
    const program = startPrograms()
    const start = async (): Promise<Lab> => {
      const lab = await home.start({ SIMULATED_POTENTIOSTATS: '0' })
      for (const client of [subscriber, ...publishers]) client.connect(lab.mqttPort)
      return lab
    }
    let lab = await start()
    for (let kill = 0; kill < kills; kill++) {
      const death = DEATHS[kill % DEATHS.length] ?? 'main'
      program.start(lab.mqttPort, `program-${kill}`)
      const before = subscriber.taken.size
      // Long enough that cursors were saved, and another length each time.
      const enough = 2000 + 700 * (kill % 5)
      await until(
        () => subscriber.taken.size > before + enough && program.acknowledgedBy(`program-${kill}`) > 100,
        'load',
      )
      subscriber.killedAt = performance.now()
      await die(lab, death)
      program.kill()
      if (death === 'services') continue
      for (const client of [subscriber, ...publishers]) client.disconnect()
      lab = await start()
    }
    for (const publisher of publishers) publisher.publishing = false
    await until(() => publishers.every(({ idle }) => idle), 'the last answers')

    const recorded = recordedLoad(lab.home)
    await until(
      () => [...recorded.keys()].every((payload) => subscriber.taken.has(payload)),
      'the last deliveries',
      60_000,
    )
    expect(await lab.interrupt()).toBe(0)
    expect(verifyLog(join(lab.home, 'event-log.db')).problems).toEqual([])
    const acknowledged = [...program.acknowledged, ...publishers.flatMap((publisher) => [...publisher.acknowledged])]
    const sent = new Map(publishers.flatMap((publisher) => [...publisher.sent]))
    const mayBeRecorded = (payload: string): number => (payload.startsWith('1') ? (sent.get(payload) ?? 1) : 1)
    const found = {
      missing: acknowledged.filter((payload) => !recorded.has(payload)),
      recordedTwice: [...recorded].filter(([payload, times]) => times > mayBeRecorded(payload)),
      deliveredTwice: subscriber.twice,
      // What a publisher sent again may be recorded again, and comes as a message of its own.
      repeatedWithoutDup: [...subscriber.taken].filter(
        ([payload, { firsts }]) => firsts > (recorded.get(payload) ?? 0),
      ),
      sessionsLost: [subscriber, ...publishers].reduce((lost, client) => lost + client.sessionsLost, 0),
    }
    process.stdout.write(
      `${kills} kills: ${acknowledged.length} messages acknowledged, ${found.missing.length} missing; ` +
        `${recorded.size} recorded, ${found.recordedTwice.length} too often; ${subscriber.taken.size} delivered, ${subscriber.repeats} again, ` +
        `the oldest acknowledged ${Math.round(subscriber.oldestRepeatMs)} ms before the kill; ${subscriber.twice.length} of QoS 2 twice\n`,
    )
    expect(found).toEqual({
      missing: [],
      recordedTwice: [],
      deliveredTwice: [],
      repeatedWithoutDup: [],
      sessionsLost: 0,
    })
    expect(subscriber.oldestRepeatMs).toBeLessThan(REPEATED_MS)
  })
}

async function die(lab: Lab, death: Death): Promise<void> {
  const services = lab.servicesPid()
  if (death === 'everything') return lab.killAll()
  if (death !== 'main') process.kill(services, 'SIGKILL')
  if (death !== 'services') {
    lab.main.kill('SIGKILL')
    await until(() => lab.main.signalCode !== null, 'main to be gone')
  }
  await until(() => !isAlive(services), 'the services to be gone')
  if (death === 'services') await until(() => hasServices(lab), 'new services')
}

function hasServices(lab: Lab): boolean {
  try {
    return lab.servicesPid() > 0
  } catch {
    return false
  }
}

/** Publishing programs, one after the other. */
function startPrograms() {
  const entry = fileURLToPath(new URL('./load-process.js', import.meta.url))
  const acknowledged: string[] = []
  const counts = new Map<string, number>()
  let running: ChildProcess | undefined
  return {
    acknowledged,
    acknowledgedBy: (name: string): number => counts.get(name) ?? 0,
    start(port: number, name: string): void {
      running = fork(entry, [String(port), name], { stdio: 'ignore' })
      running.on('message', (payload) => {
        acknowledged.push(String(payload))
        counts.set(name, (counts.get(name) ?? 0) + 1)
      })
    },
    kill(): void {
      running?.kill('SIGKILL')
    },
  }
}

/** How often each payload of the load is in the log. */
function recordedLoad(home: string): Map<string, number> {
  const reader = openEventLogReader(join(home, 'event-log.db'))
  const recorded = new Map<string, number>()
  const match = compileFilters(['load/#'])
  try {
    for (let after = 0; ; ) {
      const page = reader.read({ after, limit: 5000, match })
      for (const event of page) {
        const payload = Buffer.from(event.payload).toString()
        recorded.set(payload, (recorded.get(payload) ?? 0) + 1)
      }
      const last = page.at(-1)
      if (last === undefined) return recorded
      after = last.position
    }
  } finally {
    reader.close()
  }
}
