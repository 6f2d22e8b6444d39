import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { readConfig } from '../../config.js'
import { catalogueOf } from '../../events/catalogue.js'
import { validateParameters } from '../../events/validate-mode.js'
import { asyncApi } from '../../http-gateway/async-api/document.js'
import { instruments } from '../../instruments.js'
import { openForWriting } from '../../projections/engine/database.js'
import { Projector } from '../../projections/engine/projector.js'
import { openTables } from '../../projections/engine/queries.js'
import { openLeds } from '../../services/bioreactor/leds/led-automation.js'
import { createAutomationJob } from '../../services/jobs/automation-host.js'
import { potentiostat } from '../../services/potentiostat/instrument.js'
import { answer } from '../../services/runtime/answer.js'
import { startTestGateway } from '../http-gateway/support/start-test-gateway.js'
import { type BioreactorLab, startBioreactorLab } from '../support/bioreactor-lab.js'
import { MemoryLog } from '../support/memory-log.js'
import { temporaryDirectory } from '../support/temporary-directory.js'
import { jobCounts } from './count-running-jobs.js'
import { dpca } from './dpca.js'
import { lampEvent } from './lamp-event.js'
import { lampMinutes } from './lamp-minutes.js'
import { createLampTimer, lampTimer } from './lamp-timer.js'
import { listPortsCommand } from './list-ports.js'
import { scanSettings } from './scan-settings.js'
import { sunrise } from './sunrise.js'

test('the dry runs of the page about the architecture are compiled and run here', () => {
  const page = readFileSync(`${process.cwd()}/docs/architecture.md`, 'utf8')
  const section = page.slice(page.indexOf('## Dry runs'), page.indexOf('\n## ', page.indexOf('## Dry runs') + 1))
  const shown = [...section.matchAll(/^```ts\n([\s\S]*?)\n```$/gm)].map(([, code = '']) => code)
  const here = `${process.cwd()}/test/extensions`
  const files = readdirSync(here).map((name) => readFileSync(join(here, name), 'utf8'))
  expect(shown.length).toBeGreaterThan(6)
  expect(shown.filter((code) => !files.some((text) => text.includes(code)))).toEqual([])
})

describe('a job, as a plugin would bring it', () => {
  let lab: BioreactorLab
  afterEach(async () => {
    await lab.service.stop()
    lab.close()
  })

  test('lights its lamp, tells it, and leaves it dark', async () => {
    lab = await startBioreactorLab({ jobs: (board) => [createLampTimer(board)] })
    expect(await lab.run('lamp_timer', { minutes: 1441 })).toMatchObject({ status: 'failed' })
    expect(await lab.run('lamp_timer', { minutes: 2 })).toMatchObject({ status: 'succeeded' })
    expect(lab.bioreactor.leds.state.B).toBe(100)
    expect(lampEvent.parse(lab.published('lamp_events')[0] ?? '')).toMatchObject({ minutes: 2 })
    await lab.clock.advance(121_000)
    expect(lab.bioreactor.leds.state.B).toBe(0)
    expect(lab.published('lamp_timer/$state').at(-1)).toBe('disconnected')
  })

  test('of an automation is its decision in the host of its kind', async () => {
    lab = await startBioreactorLab({ jobs: ({ leds }) => [createAutomationJob(sunrise, openLeds(leds))] })
    await lab.run('led_automation', { automation_name: 'sunrise', minutes: 10 })
    await lab.clock.advance(300_000)
    expect(lab.bioreactor.leds.state.B).toBeGreaterThanOrEqual(49)
    await lab.set('led_automation', '$state', 'disconnected')
    expect(lab.bioreactor.leds.state.B).toBe(0)
  })

  test('is announced with its form', () => {
    expect(lampTimer.capability('u1')).toMatchObject({ job_name: 'lamp_timer' })
  })
})

test('a mode checks what it is given, and plans', () => {
  const given = { forward: '0.5', back: -0.1, duration: 1 }
  const checked = validateParameters(dpca.declaration, given)
  if (!checked.ok) throw new Error(JSON.stringify(checked.errors))
  const plan = dpca.plan(checked.params)
  expect(plan).toMatchObject({ control: 'potentiostatic', samples: 2 * Math.round(plan.samples / 2) })
  expect(validateParameters(dpca.declaration, { ...given, forward: 11 })).toMatchObject({ ok: false })
})

test('events and commands are in the AsyncAPI document of a unit whose instrument names them', () => {
  const [first, ...rest] = instruments
  if (first === undefined) throw new Error('no instruments')
  const lamps = { events: [lampEvent], commands: [listPortsCommand] }
  const { channels } = asyncApi([], catalogueOf([first, ...rest, lamps])) as { channels: Record<string, unknown> }
  expect(Object.keys(channels)).toEqual(
    expect.arrayContaining(['pioreactor.lamp_events', 'system.commands.list_ports']),
  )
})

test('a command is checked, given its defaults and answered', async () => {
  const { carryOut } = answer(listPortsCommand, async ({ pattern }) => ({
    ports: ['/dev/ttyACM0', '/dev/ttyUSB0'].filter((path) => path.includes(pattern)),
  }))
  expect(await carryOut('{}', 'x')).toEqual({ ports: ['/dev/ttyACM0', '/dev/ttyUSB0'] })
  expect(await carryOut('{"pattern":"ACM"}', 'x')).toEqual({ ports: ['/dev/ttyACM0'] })
  await expect(carryOut('{"pattern":7}', 'x')).rejects.toThrow('pattern is 7; it must be of type string.')
})

test('a read model is folded, though an event comes twice, and asked', async () => {
  const lit = (experiment: string, minutes: number, second: string) => ({
    topic: lampEvent.topic({ unit: 'u1', experiment }),
    payload: { minutes, timestamp: `2026-11-20T09:00:${second}Z` },
    retain: false,
  })
  const events = [lit('a', 2, '01'), lit('a', 2, '01'), lit('a', 3, '02'), lit('b', 1, '03')]
  const database = openForWriting(join(temporaryDirectory(), 'read-models.db'))
  const projector = new Projector(database, new MemoryLog(events), lampMinutes.projections)
  while (projector.foldNext() > 0);
  const queries = lampMinutes.queries({ tables: () => openTables(database), files: () => null })
  const minutes = (await queries.lampMinutes()).map((row) => [row.experiment, row.minutes])
  expect(minutes).toEqual([
    ['a', 5],
    ['b', 1],
  ])
  database.close()
})

test('a setting is read and checked with the others, and given to its instrument', () => {
  const listed = [{ ...potentiostat, settings: scanSettings }]
  const read = (BOX_SCAN_S: string) => readConfig({ BOX_SCAN_S }, listed).instruments['potentiostat']
  expect(read('')).toEqual({ BOX_SCAN_S: 1 })
  expect(read('2.5')).toEqual({ BOX_SCAN_S: 2.5 })
  expect(() => read('0.1')).toThrow('BOX_SCAN_S is 0.1; it must be at least 0.5.')
})

test('an endpoint answers from the read models', async () => {
  const gateway = await startTestGateway({}, undefined, jobCounts)
  try {
    expect(await gateway.send('GET', '/unit_api/jobs/count')).toMatchObject({ status: 200, json: { running: 0 } })
  } finally {
    await gateway.stop()
  }
})
