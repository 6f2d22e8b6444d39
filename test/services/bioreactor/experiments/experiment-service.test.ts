import { afterEach, expect, test } from 'vitest'
import { assignExperimentCommand, describeExperimentCommand } from '../../../../events/bioreactor/experiments.js'
import { type BioreactorLab, startBioreactorLab } from '../../../support/bioreactor-lab.js'
import { give } from '../../../support/give.js'
import { MemoryBroker } from '../../../support/memory-bus.js'

let lab: BioreactorLab
const end = async (): Promise<void> => {
  const stopped = lab.service.stop()
  await lab.clock.advance(5000)
  await stopped
  await lab.book.stop()
  lab.close()
}
afterEach(end)

const retained = (topic: string): unknown => JSON.parse(lab.broker.retained.get(topic)?.toString() ?? 'null')
const ASSIGNMENT = 'pioreactor/u1/$experiment/assignment'

test('a unit is assigned, and a job that names no experiment belongs to what it is assigned to', async () => {
  lab = await startBioreactorLab()
  await give(lab.service, assignExperimentCommand, { experiment: 'growth' })
  expect(retained(ASSIGNMENT)).toEqual({
    pioreactor_unit: 'u1',
    experiment: 'growth',
    assigned_at: '2026-01-02T03:04:05.000Z',
    updated_at: '2026-01-02T03:04:05.000Z',
  })
  await lab.run('stirring', {}, { env: { EXPERIMENT: '' } })
  expect(lab.published('stirring/$state', 'growth')).toContain('ready')
  await give(lab.service, assignExperimentCommand, { experiment: null })
  expect(retained(ASSIGNMENT)).toMatchObject({ experiment: null, assigned_at: null })
})

test('what is said of an experiment adds up, also over a restart', async () => {
  const broker = new MemoryBroker()
  lab = await startBioreactorLab({ broker })
  await give(lab.service, describeExperimentCommand, { experiment: 'growth', description: 'yeast', tags: ['warm'] })
  await end()
  lab = await startBioreactorLab({ broker, clock: lab.clock })
  await give(lab.service, describeExperimentCommand, { experiment: 'growth', unit_label: 'left' })
  await give(lab.service, describeExperimentCommand, { experiment: 'growth', description: null })
  expect(retained('system/u1/experiments/growth')).toMatchObject({
    description: null,
    tags: ['warm'],
    unit_label: 'left',
  })
})

test.each([
  [{ experiment: 'a/b' }, /experiment/],
  [{ experiment: '$experiment' }, /experiment/],
  [{ experiment: 'growth', tags: ['a', 'a'] }, /tags/],
  [{ experiment: 'growth', tags: [''] }, /tags/],
  [{ experiment: 'growth', description: 'x'.repeat(10_001) }, /description/],
])('%j is refused', async (order, reason) => {
  lab = await startBioreactorLab()
  const before = lab.broker.published.length
  await expect(give(lab.service, describeExperimentCommand, order)).rejects.toThrow(reason)
  expect(lab.broker.published).toHaveLength(before)
})
