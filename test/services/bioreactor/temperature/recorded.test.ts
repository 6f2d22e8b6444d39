import Database from 'better-sqlite3'
import { afterEach, expect, test } from 'vitest'
import { stopJobsCommand } from '../../../../events/system/commands.js'
import { Projector } from '../../../../projections/engine/projector.js'
import { projections } from '../../../../projections/index.js'
import { give } from '../../../support/give.js'
import { MemoryLog } from '../../../support/memory-log.js'
import {
  FIRST_AFTER_S,
  INFERENCE_S,
  JOB,
  PERIOD_S,
  startTemperatureLab,
  type TemperatureLab,
} from './temperature-lab.js'

let t: TemperatureLab
afterEach(() => t.end())

/** Rows of a table that is folded from everything that was published. */
function rows(table: string): Record<string, unknown>[] {
  const database = new Database(':memory:')
  const log = new MemoryLog(t.lab.broker.published)
  const projector = new Projector(
    database,
    log,
    projections.filter(({ name }) => name === table),
  )
  while (projector.foldNext() > 0);
  return database.prepare(`SELECT * FROM ${table} ORDER BY rowid`).all() as Record<string, unknown>[]
}

test('what a thermostat measured, did and was told is in its tables', async () => {
  t = await startTemperatureLab()
  await t.thermostat(30)
  await t.seconds(FIRST_AFTER_S + INFERENCE_S + 1)
  await t.lab.set(JOB, 'target_temperature', '33')
  await t.seconds(PERIOD_S)
  await give(t.lab.service, stopJobsCommand, { job_name: JOB }, 'stop')
  await t.seconds(2)
  const owner = { experiment: 'exp', pioreactor_unit: 'u1' }

  expect(rows('temperature_readings')).toEqual(
    t.temperatures().map(({ temperature, timestamp }) => ({
      ...owner,
      timestamp: `${timestamp.slice(0, 23)}Z`,
      temperature_c: temperature,
    })),
  )
  expect(rows('temperature_automation_events').map(({ event_name }) => event_name)).toEqual(
    Array<string>(3).fill('UpdatedHeaterDC'),
  )
  // Each setting with the time it was in force, the last one too.
  const settings = rows('temperature_automation_settings').map(({ settings, started_at, ended_at }) => ({
    started_at,
    ended_at,
    target: (JSON.parse(Buffer.from(String(settings), 'base64').toString()) as { target_temperature: number })
      .target_temperature,
  }))
  expect(settings.map(({ target }) => target)).toEqual([30, 33])
  expect(settings[1]?.started_at).toBe(settings[0]?.ended_at)

  const history = rows('setting_changes').filter(({ job_name }) => job_name === JOB)
  const values = (name: string) => history.filter(({ setting }) => setting === name).map(({ value }) => value)
  expect(values('target_temperature')).toEqual([30, 33, null])
  expect(values('$state')).toEqual(['init', 'ready', 'disconnected'])
  expect(values('heater_duty_cycle').slice(0, -1)).toEqual(t.texts(`${JOB}/heater_duty_cycle`).map(Number))
  expect(values('heater_duty_cycle').slice(-2)).toEqual([0, null])

  const steps = rows('pid_logs')
  expect(steps).toHaveLength(3)
  expect(steps[0]).toMatchObject({
    ...owner,
    target_name: 'temperature',
    latest_input: t.temperatures()[0]?.temperature,
  })
})
