import { Type } from '@sinclair/typebox'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { defineTask } from '../../../../events/core/define-task.js'
import { LabError } from '../../../../events/core/errors.js'
import type { TaskRecord } from '../../../../events/system/tasks.js'
import { taskEndpoint } from '../../../../http-gateway/endpoints/unit/task-endpoint.js'
import { tasks } from '../../../../http-gateway/endpoints/unit/tasks.js'
import { NotFound } from '../../../../http-gateway/framework/errors.js'
import { task } from '../../support/given-jobs.js'
import { startTestGateway, type TestGateway } from '../../support/start-test-gateway.js'

const Order = Type.Object({ mass_g: Type.Number() })
const weighTask = defineTask({
  name: 'weigh',
  payload: Order,
  result: Type.Boolean(),
  lock: 'scale-lock',
  doc: 'Weighs.',
})
const tareTask = defineTask({
  name: 'tare',
  payload: Type.Object({}),
  result: Type.Boolean(),
  lock: 'scale-lock',
  whenLocked: 'wait',
  doc: 'Tares.',
})

const weigh = taskEndpoint({
  path: '/unit_api/scale/:slot/weigh',
  summary: 'Weighs.',
  task: weighTask,
  params: Type.Object({ slot: Type.String() }),
  body: Order,
  admit({ params }) {
    if (params.slot === 'none') throw new NotFound('There is no such slot.')
  },
  order: ({ body }) => body,
})
const tare = taskEndpoint({ path: '/unit_api/scale/tare', summary: 'Tares.', task: tareTask, order: () => ({}) })

let gateway: TestGateway
beforeEach(async () => {
  gateway = await startTestGateway({}, undefined, [weigh, tare, ...tasks])
})
afterEach(() => gateway.stop())

const held = { task_id: 't', name: 'weigh', lock: 'scale-lock' }
const WEIGH = '/unit_api/scale/left/weigh'

test.each(['POST', 'PATCH'])('%s is accepted with where the task is to be asked for', async (method) => {
  const orders = await gateway.serve(weighTask, () => ({ task_id: 'any' }))
  const { status, json } = await gateway.send(method, WEIGH, { mass_g: 5 })
  const id = String(orders[0]?.['id'])
  expect(orders).toEqual([{ id, mass_g: 5 }])
  const result_url_path = `/unit_api/task_results/${id}`
  expect([status, json]).toEqual([202, { unit: 'u1', task_id: id, result_url_path, status: 'accepted' }])
})

test.each(['pending', 'running'] as const)(
  'while a task of its lock is %s it says so, whatever the body holds, and orders nothing',
  async (state) => {
    const orders = await gateway.serve(weighTask, () => ({ task_id: 'any' }))
    gateway.given(task({ ...held, status: state }))
    const { status, json } = await gateway.send('POST', WEIGH, '{')
    expect([status, json]).toEqual([
      202,
      {
        status: 'running',
        lock: 'scale-lock',
        retry_after_s: 1,
        remediation: 'Wait for the running operation to finish, then retry.',
      },
    ])
    expect(orders).toEqual([])
    gateway.given(task({ ...held, status: 'failed' }))
    expect((await gateway.send('POST', WEIGH, '{')).status).toBe(400)
    expect((await gateway.send('POST', WEIGH, { mass_g: 5 })).json).toMatchObject({ status: 'accepted' })
  },
)

test('what is looked at before the lock is refused before it', async () => {
  gateway.given(task({ ...held, status: 'running' }))
  expect((await gateway.send('POST', '/unit_api/scale/none/weigh', {})).status).toBe(404)
})

test('a task that waits for its turn is ordered although its lock is held', async () => {
  const orders = await gateway.serve(tareTask, () => ({ task_id: 'any' }))
  gateway.given(task({ ...held, status: 'running' }))
  expect((await gateway.send('POST', '/unit_api/scale/tare')).json).toMatchObject({ status: 'accepted' })
  expect(orders).toHaveLength(1)
})

test('while the services are away the lock is held by the task that waits for them', async () => {
  await gateway.say('lost')
  const { json } = await gateway.send('POST', WEIGH, { mass_g: 5 })
  const { task_id } = json as { task_id: string }
  const payload = JSON.parse(gateway.broker.payloads(`system/u1/tasks/${task_id}`).at(-1) ?? '') as TaskRecord
  expect(payload).toMatchObject({ status: 'pending', lock: 'scale-lock' })
  gateway.given({ topic: `system/u1/tasks/${task_id}`, payload })
  expect((await gateway.send('POST', WEIGH, { mass_g: 5 })).json).toMatchObject({ lock: 'scale-lock' })
})

test('an order that a service refuses without a task has a failed one, so that nobody asks for it for ever', async () => {
  await gateway.serve(weighTask, () => {
    throw new LabError('scale.busy', 'state', 'The scale is being cleaned.')
  })
  const { json } = await gateway.send('POST', WEIGH, { mass_g: 5 })
  const { task_id } = json as { task_id: string }
  expect(JSON.parse(gateway.broker.payloads(`system/u1/tasks/${task_id}`).at(-1) ?? '')).toMatchObject({
    status: 'failed',
    error: { message: 'The scale is being cleaned.' },
  })
})
