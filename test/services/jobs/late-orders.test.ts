import { setTimeout as delay } from 'node:timers/promises'
import { afterEach, expect, test } from 'vitest'
import { runJobCommand, stopJobsCommand } from '../../../events/system/commands.js'
import { type BioreactorLab, startBioreactorLab } from '../../support/bioreactor-lab.js'
import { give } from '../../support/give.js'
import { until } from '../../support/until.js'

/* Orders that come when the services are suspended, or stop. */

const STIRRING_PIN = 17
let lab: BioreactorLab
afterEach(() => lab.close())

const duty = (): number => lab.bioreactor.duty.get(STIRRING_PIN) ?? 0

test('a job that is to sleep meanwhile is not woken afterwards', async () => {
  lab = await startBioreactorLab()
  await lab.run('stirring')
  await lab.service.suspend('test')
  await lab.set('stirring', '$state', 'sleeping')
  await lab.service.resume()
  await lab.clock.advance(1000)
  expect(duty()).toBe(0)
  await lab.set('stirring', '$state', 'ready')
  await lab.clock.advance(1000)
  expect(duty()).toBe(30)
})

test('an order that is being prepared when the services stop begins nothing', async () => {
  lab = await startBioreactorLab()
  await give(lab.service, runJobCommand, { job_name: 'stirring', env: { EXPERIMENT: 'exp' } }, 'late')
  await lab.service.stop()
  await until(() => lab.task('late')['status'] === 'failed', 'the order to be over')
  await delay(100)
  await lab.clock.advance(2000)
  expect(lab.published('stirring/$state')).toEqual([])
  expect(duty()).toBe(0)
})

test.each([
  ['all jobs', { all: true }, false],
  ['this job', { job_name: 'stirring' }, false],
  ['another job', { job_name: 'od_reading' }, true],
  ['a job that has a number already', { job_id: 1 }, true],
])('a stop of %s that comes while a start is prepared counts for what is about to begin', async (_, stop, begins) => {
  lab = await startBioreactorLab()
  await lab.run('stirring')
  await lab.set('stirring', '$state', 'disconnected')
  await lab.clock.advance(2000)
  await give(lab.service, runJobCommand, { job_name: 'stirring', env: { EXPERIMENT: 'exp' } }, 'start')
  await give(lab.service, stopJobsCommand, stop, 'stop')
  await until(() => lab.task('stop')['status'] === 'succeeded', 'the stop to be over')
  await until(async () => {
    await lab.clock.advance(1000)
    return ['succeeded', 'failed'].includes(String(lab.task('start')['status']))
  }, 'the start to be decided')
  expect(lab.task('start')['status']).toBe(begins ? 'succeeded' : 'failed')
  expect(duty() > 0).toBe(begins)
})
