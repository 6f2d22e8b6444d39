import { afterEach, beforeEach, expect, test } from 'vitest'
import { checkHardwareTask } from '../../../../events/bioreactor/commands.js'
import { modelsEvent } from '../../../../events/bioreactor/vessel.js'
import { startTestGateway, type TestGateway } from '../../support/start-test-gateway.js'

const PATH = '/unit_api/hardware/check'
const MODEL = { model_name: 'pioreactor_40ml', model_version: '1.5' }

let gateway: TestGateway
beforeEach(async () => {
  gateway = await startTestGateway()
  gateway.given({
    topic: modelsEvent.topic({ unit: 'u1' }),
    payload: { models: [MODEL], timestamp: '2026-01-02T03:04:05.000Z' },
  })
})
afterEach(() => gateway.stop())

test.each(['POST', 'PATCH'])('%s orders a check, which becomes a task', async (method) => {
  const orders = await gateway.serve(checkHardwareTask, () => ({ task_id: 'any' }))
  const { status, json } = await gateway.send(method, PATH, MODEL)
  expect([status, json]).toMatchObject([202, { status: 'accepted', task_id: orders[0]?.['id'] }])
  expect(orders).toMatchObject([MODEL])
})

test('a model that the unit does not know is 400 in the words of the contract, and nothing is ordered', async () => {
  const orders = await gateway.serve(checkHardwareTask, () => ({ task_id: 'any' }))
  const { status, json } = await gateway.send('POST', PATH, { model_name: 'bucket', model_version: '1' })
  expect([status, json]).toEqual([
    400,
    {
      error: 'Unknown Pioreactor model.',
      cause: "Unknown model 'bucket' with version '1'.",
      remediation: 'Name one of pioreactor_40ml 1.5.',
      status: 400,
    },
  ])
  expect(orders).toEqual([])
})

test.each([
  ['{}', 'Object missing required field `model_name`'],
  ['{', 'Input data was truncated'],
  ['{"model_name":3,"model_version":"1.5"}', 'Expected `str`, got `int` - at `$.model_name`'],
  [JSON.stringify({ ...MODEL, hat: '1.2' }), 'Object contains unknown field `hat`'],
])('the body %s is 400', async (body, cause) => {
  expect(await gateway.send('POST', PATH, body)).toMatchObject({
    status: 400,
    json: {
      error: 'Invalid request body.',
      cause,
      remediation: 'Send a JSON object with the required fields: model_name, model_version.',
    },
  })
})

test('a unit that has told no models leaves the judgement to its services', async () => {
  gateway.given({ topic: modelsEvent.topic({ unit: 'u1' }), payload: '' })
  const orders = await gateway.serve(checkHardwareTask, () => ({ task_id: 'any' }))
  expect((await gateway.send('POST', PATH, { model_name: 'bucket', model_version: '1' })).status).toBe(202)
  expect(orders).toHaveLength(1)
})
