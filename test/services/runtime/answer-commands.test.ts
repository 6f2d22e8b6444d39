import { afterEach, expect, test } from 'vitest'
import { answerCommands } from '../../../services/runtime/answer-commands.js'
import { type BioreactorLab, startBioreactorLab } from '../../support/bioreactor-lab.js'
import { silentLogger } from '../../support/silent-logger.js'

let lab: BioreactorLab
async function start(): Promise<void> {
  lab = await startBioreactorLab()
  const { context, clock, service } = lab
  const find = (name: string) => service.commands.find(({ command }) => command.name === name)
  await answerCommands(find, { bus: context.bus, unit: 'u1', clock, logger: silentLogger })
}
afterEach(async () => {
  await lab.service.stop()
  lab.close()
})

const order = async (name: string, payload: unknown): Promise<void> => {
  await lab.context.bus.publish(`system/u1/commands/${name}`, JSON.stringify(payload))
  while (lab.connections.length === 0 && outcomes().length === 0) await new Promise((resolve) => setImmediate(resolve))
  await lab.clock.advance(2000)
}

/** Outcomes by the id of their order. */
const outcomes = (): (readonly [string, Record<string, unknown>])[] =>
  lab.broker.published
    .filter(({ topic }) => topic.startsWith('system/u1/outcomes/'))
    .map(({ topic, payload }) => [topic.split('/').at(-1) ?? '', JSON.parse(payload) as Record<string, unknown>])

test('a job starts by its name alone, where the leader assigned the unit', async () => {
  await start()
  const assignment = JSON.stringify({ experiment: 'assigned' })
  await lab.context.bus.publish('pioreactor/u1/$experiment/assignment', assignment, { retain: true })
  await order('run_job', { job_name: 'stirring' })
  const [[id, outcome] = expect.fail('no outcome')] = outcomes()
  expect(outcome).toMatchObject({ id, accepted: true, result: { task_id: id } })
  // The start reads files, which takes as long as it takes.
  while (lab.task(id)?.['status'] === 'running') await lab.clock.advance(100)
  expect(lab.task(id)).toMatchObject({ status: 'succeeded' })
  expect(lab.published('stirring/$state', 'assigned')).toEqual(['init', 'ready'])
})

test.each([[{ id: 'a/b' }], [{ id: 7 }]])('an order with %j is answered by nobody and starts nothing', async (id) => {
  await start()
  await lab.context.bus.publish('system/u1/commands/run_job', JSON.stringify({ ...id, job_name: 'stirring' }))
  await lab.clock.advance(2000)
  expect(outcomes()).toEqual([])
})
