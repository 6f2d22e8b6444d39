import { afterEach, beforeEach, expect, test } from 'vitest'
import { automationDescriptorsEvent, jobDescriptorsEvent } from '../../../../events/descriptors/descriptors.js'
import { startTestGateway, type TestGateway } from '../../support/start-test-gateway.js'

let gateway: TestGateway
beforeEach(async () => {
  gateway = await startTestGateway()
})
afterEach(() => gateway.stop())

const timestamp = '2026-01-02T03:04:05.000Z'
const stirring = {
  ...{ display_name: 'Stirring', job_name: 'stirring', display: true, published_settings: [] },
  ...{ source: 'app', description: null, subtext: null, is_testing: false },
}

test('descriptors are those told last, and may be kept for five seconds', async () => {
  gateway.given({
    topic: jobDescriptorsEvent.topic({ unit: 'u1' }),
    payload: { descriptors: [stirring], timestamp },
  })
  gateway.given({ topic: jobDescriptorsEvent.topic({ unit: 'other' }), payload: { descriptors: [], timestamp } })
  const { status, json, headers } = await gateway.get('/unit_api/jobs/descriptors')
  expect([status, json, headers.get('cache-control')]).toEqual([200, [stirring], 'public, max-age=5'])
  gateway.given({
    topic: automationDescriptorsEvent.topic({ unit: 'u1', automation_type: 'led' }),
    payload: { descriptors: [], timestamp },
  })
  expect(await gateway.get('/unit_api/automations/descriptors/led')).toMatchObject({ status: 200, json: [] })
})

test('a type of which there is none is 400 with those there are', async () => {
  expect(await gateway.get('/unit_api/automations/descriptors/stirring')).toMatchObject({
    status: 400,
    json: { remediation: 'Ask for one of temperature, dosing, led.' },
  })
})

test.each(['jobs/descriptors', 'settings/descriptors', 'automations/descriptors/dosing'])(
  '%s before the services told them is asked for again',
  async (path) => {
    expect((await gateway.get(`/unit_api/${path}`)).status).toBe(503)
  },
)
