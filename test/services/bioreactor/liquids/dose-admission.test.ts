import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { correctLiquidCommand } from '../../../../events/bioreactor/commands.js'
import { runJobCommand } from '../../../../events/system/commands.js'
import { type BioreactorLab, startBioreactorLab } from '../../../support/bioreactor-lab.js'
import { give } from '../../../support/give.js'
import { pumpCalibration } from '../../../support/pump-calibration.js'

let lab: BioreactorLab
beforeEach(async () => {
  lab = await startBioreactorLab()
  for (const pump of ['media', 'alt_media', 'waste']) lab.calibrations.set(`${pump}_pump`, pumpCalibration(pump, 1))
  await give(lab.service, correctLiquidCommand, { experiment: 'exp', values: { current_volume_ml: 12 } })
})
afterEach(async () => {
  const stopped = lab.service.stop()
  await lab.clock.advance(5000)
  await stopped
  await lab.book.stop()
  lab.close()
})

const started = (): string[] => [...lab.broker.retained.keys()].filter((topic) => topic.startsWith('system/u1/tasks/'))
const order = (job_name: string, options: Record<string, unknown>, env: Record<string, string> = {}) =>
  give(lab.service, runJobCommand, { job_name, options, env: { EXPERIMENT: 'exp', ...env } })
const model = (MODEL_NAME: string, MODEL_VERSION: string) => ({ MODEL_NAME, MODEL_VERSION })

describe('the start of a dose without room', () => {
  test.each(['add_media', 'add_alt_media'])('%s is refused before it is a task', async (job) => {
    await expect(order(job, { ml: 6 })).rejects.toMatchObject({
      code: 'dosing.no_room',
      message: 'Requested dose would meet or exceed the reactor safety threshold.',
      details: { field: 'ml', value: 6, limit: 18, cause: expect.stringContaining('12.000 mL') as string },
    })
    expect(started()).toEqual([])
  })

  test('is refused also when its volume is a text', async () => {
    await expect(order('add_media', { ml: '6.0' })).rejects.toMatchObject({ code: 'dosing.no_room' })
  })

  test('of an experiment without an account counts from the configuration, and begins none', async () => {
    await expect(order('add_media', { ml: 3 }, { EXPERIMENT: 'new' })).rejects.toMatchObject({ code: 'dosing.no_room' })
    expect(lab.broker.retained.has('system/u1/liquids/new')).toBe(false)
  })

  test.each([
    ['below it', 'add_media', { ml: 5.9 }, {}],
    ['for a vessel that it names', 'add_media', { ml: 6 }, model('pioreactor_40ml', '1.5')],
    ['with half the name of a vessel', 'add_media', { ml: 5.9 }, model('pioreactor_40ml', '')],
    ['of waste', 'remove_waste', { ml: 30 }, {}],
    ['by time', 'add_media', { duration: 30 }, {}],
    ['of an experiment that it does not name', 'add_media', { ml: 6 }, { EXPERIMENT: '' }],
    ['that is negative', 'add_media', { ml: -1 }, {}],
    ['of nothing said', 'add_media', { ml: null, duration: 1 }, {}],
  ])('%s: %s %j is a task', async (_, job, options, env) => {
    await order(job, options, env)
    expect(started()).toHaveLength(1)
  })

  test('is seen by the limit of a vessel that a file adds', async () => {
    const models = join(lab.context.dotPioreactor, 'models')
    mkdirSync(models)
    const small = {
      model_name: 'tiny',
      model_version: '1.0',
      display_name: 'Tiny',
      reactor_capacity_ml: 14,
      reactor_diameter_mm: 20,
      reactor_max_fill_volume_ml: 13,
      max_temp_to_reduce_heating: 60,
      max_temp_to_disable_heating: 61,
      max_temp_to_shutdown: 62,
    }
    writeFileSync(join(models, 'tiny.yaml'), JSON.stringify(small))
    await expect(order('add_media', { ml: 1 }, model('tiny', '1.0'))).rejects.toMatchObject({
      details: { limit: 13 },
    })
  })
})

test('a vessel that nobody knows is refused by its name', async () => {
  await expect(order('add_media', { ml: 1 }, model('pioreactor_9ml', '9.9'))).rejects.toMatchObject({
    code: 'hardware.unknown_model',
    message: 'Unknown Pioreactor model.',
    details: { cause: "Unknown model 'pioreactor_9ml' with version '9.9'." },
  })
  expect(started()).toEqual([])
})

test.each(['much', true, [1], '1e'])('a volume that is no number, %j, is refused by its name', async (ml) => {
  await expect(order('add_media', { ml })).rejects.toThrow(/ml is .*; it must be a number/)
  expect(started()).toEqual([])
})
