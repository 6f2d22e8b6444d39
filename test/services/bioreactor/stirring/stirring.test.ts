import { afterEach, expect, test } from 'vitest'
import { stopJobsCommand } from '../../../../events/system/commands.js'
import { type BioreactorLab, startBioreactorLab } from '../../../support/bioreactor-lab.js'
import { give } from '../../../support/give.js'

let lab: BioreactorLab | undefined
afterEach(async () => {
  lab?.close()
  lab = undefined
})

const STIRRING_PIN = 17

test('publishes what a Pioreactor publishes from start to stop', async () => {
  lab = await startBioreactorLab()
  await lab.run('stirring', { target_rpm: '400' })
  await lab.clock.advance(10_000)
  await lab.set('stirring', 'target_rpm', '450')
  await lab.set('stirring', '$state', 'disconnected')

  const watched = ['$state', 'target_rpm', 'duty_cycle', 'measured_rpm', 'enable_dodging_od', 'currently_dodging_od']
  const sequence = lab.broker.published
    .filter(
      ({ topic }) =>
        watched.some((name) => topic === `pioreactor/u1/exp/stirring/${name}`) || topic.endsWith('pwms/dc'),
    )
    .map(({ topic, payload }) => `${topic.split('/').slice(3).join('/')} ${payload}`)
  expect(sequence[0]).toBe('stirring/$state init')
  expect(lab.published('stirring/$state')).toEqual(['init', 'ready', 'disconnected'])
  expect(lab.published('stirring/target_rpm')).toEqual(['400', '450', ''])
  expect(sequence.join('\n')).toMatch(
    /\$state init\npwms\/dc {}[\s\S]*target_rpm 400[\s\S]*duty_cycle 100[\s\S]*duty_cycle 30[\s\S]*\$state ready[\s\S]*measured_rpm {[\s\S]*target_rpm 450[\s\S]*\$state disconnected/,
  )
  const afterEnd = sequence.slice(sequence.indexOf('stirring/$state disconnected') + 1)
  expect(afterEnd.sort()).toEqual([
    'stirring/currently_dodging_od ',
    'stirring/duty_cycle ',
    'stirring/enable_dodging_od ',
    'stirring/measured_rpm ',
    'stirring/target_rpm ',
  ])
  expect(lab.bioreactor.duty.get(STIRRING_PIN) ?? 0).toBe(0)
})

test('a stop while a stalled bar is kicked switches the motor off at once', async () => {
  const started = await startBioreactorLab()
  lab = started
  await started.run('stirring', { target_rpm: '400' })
  const duty = (): number => started.bioreactor.duty.get(STIRRING_PIN) ?? 0
  for (let waited = 0; duty() < 100 && waited < 400; waited++) await started.clock.advance(50)
  expect(started.published('logs/app/warning').at(-1)).toContain('kicking')
  await give(started.service, stopJobsCommand, { job_name: 'stirring' }, 'stop')
  await started.clock.advance(0)
  expect(duty()).toBe(0)
})
