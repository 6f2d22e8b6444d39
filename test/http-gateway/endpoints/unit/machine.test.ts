import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { mergedConfigEvent } from '../../../../events/config/config.js'
import { InvalidInput } from '../../../../events/core/errors.js'
import {
  rebootTask,
  repairTask,
  restartWebServerTask,
  setClockTask,
  shutdownTask,
  updateTask,
} from '../../../../events/machine/commands.js'
import { UpdateInvalid } from '../../../../events/machine/errors.js'
import { temporaryDirectory } from '../../../support/temporary-directory.js'
import { task } from '../../support/given-jobs.js'
import { startTestGateway, type TestGateway } from '../../support/start-test-gateway.js'

let gateway: TestGateway
beforeEach(async () => {
  gateway = await startTestGateway({ dotPioreactor: temporaryDirectory() })
})
afterEach(() => gateway.stop())

/** What the configuration says of the leader. */
const ledBy = (leader_hostname: string): void =>
  gateway.given({
    topic: mergedConfigEvent.topic({ unit: 'u1' }),
    payload: {
      sections: { 'cluster.topology': { leader_hostname } },
      error: null,
      timestamp: '2026-01-02T03:04:05.000Z',
    },
  })
const taken = () => ({ task_id: 'any' })

describe('power and repair', () => {
  test.each([
    ['reboot', rebootTask],
    ['shutdown', shutdownTask],
    ['repair', repairTask],
  ] as const)('%s needs no body and becomes a task', async (name, definition) => {
    const orders = await gateway.serve(definition, taken)
    for (const method of ['POST', 'PATCH']) {
      const { status, json } = await gateway.send(method, `/unit_api/system/${name}`)
      expect([status, json]).toMatchObject([202, { status: 'accepted', task_id: orders.at(-1)?.['id'] }])
    }
    expect(orders).toHaveLength(2)
  })

  test('share one lock', async () => {
    gateway.given(task({ task_id: 't', name: 'reboot', lock: 'power-lock', status: 'running' }))
    for (const name of ['reboot', 'shutdown']) {
      expect((await gateway.send('POST', `/unit_api/system/${name}`)).json).toEqual({
        status: 'running',
        lock: 'power-lock',
        retry_after_s: 1,
        remediation: 'Wait for the running operation to finish, then retry.',
      })
    }
  })
})

describe('an update', () => {
  const BODY = { args: [], options: { branch: 'feature/test', repo: 'pioreactor/pioreactor' }, env: { A: 'b' } }

  test('goes to the services without its environment', async () => {
    const orders = await gateway.serve(updateTask, taken)
    for (const path of ['update', 'update/app']) {
      expect((await gateway.send('POST', `/unit_api/system/${path}`, BODY)).status).toBe(202)
    }
    expect(orders.map(({ id: _, ...order }) => order)).toEqual([0, 1].map(() => ({ args: [], options: BODY.options })))
  })

  test('of anything but the app is 404 in the words of the contract, whatever the body holds', async () => {
    for (const body of [BODY, '{']) {
      const { status, json } = await gateway.send('POST', '/unit_api/system/update/invalid', body)
      expect([status, json]).toEqual([404, { error: 'Invalid target', cause: 'Invalid target', status: 404 }])
    }
  })

  test('that is under way is told before the target is looked at', async () => {
    gateway.given(task({ task_id: 't', name: 'update_system', lock: 'update-lock', status: 'running' }))
    const { status, json } = await gateway.send('POST', '/unit_api/system/update/invalid', '{')
    expect([status, json]).toMatchObject([202, { lock: 'update-lock' }])
  })

  test('with an option that the services refuse is 400', async () => {
    await gateway.serve(updateTask, () => {
      throw new UpdateInvalid('The option branch must be a branch/ref.')
    })
    expect((await gateway.send('POST', '/unit_api/system/update/app', BODY)).json).toMatchObject({
      status: 400,
      error: expect.stringContaining('branch/ref'),
    })
  })
})

describe('the clock', () => {
  const CLOCK = '/unit_api/system/utc_clock'

  test('tells its time in milliseconds', async () => {
    expect((await gateway.get(CLOCK)).json).toEqual({
      status: 'success',
      clock_time: gateway.clock.now().toISOString(),
    })
  })

  test('of a leader is set to the time of the body, which must be there', async () => {
    ledBy('u1')
    const orders = await gateway.serve(setClockTask, (order) => {
      if (order.utc_clock_time === 'noon') throw new InvalidInput('utc_clock_time is no time in UTC.')
      return taken()
    })
    const utc_clock_time = '2026-01-28T01:45:28Z'
    expect((await gateway.send('PATCH', CLOCK, { utc_clock_time })).status).toBe(202)
    expect(orders).toMatchObject([{ utc_clock_time }])
    expect((await gateway.send('PATCH', CLOCK, {})).json).toMatchObject({
      status: 400,
      error: 'Invalid request body.',
      cause: 'Object missing required field `utc_clock_time`',
      remediation: 'Send a JSON object with the required fields: utc_clock_time.',
    })
    expect((await gateway.send('PATCH', CLOCK, '{')).json).toMatchObject({ status: 400 })
    expect((await gateway.send('PATCH', CLOCK, { utc_clock_time: 'noon' })).json).toMatchObject({
      status: 400,
      error: expect.stringContaining('utc_clock_time'),
    })
    expect(orders).toHaveLength(2)
  })

  test.each([undefined, '{', { utc_clock_time: '2026-01-28T01:45:28Z' }])(
    'of a worker asks its time server, whatever the body holds',
    async (body) => {
      ledBy('boss')
      const orders = await gateway.serve(setClockTask, taken)
      expect((await gateway.send('POST', CLOCK, body)).status).toBe(202)
      expect(orders).toMatchObject([{ utc_clock_time: null }])
    },
  )

  test('is not set before anybody knows who leads', async () => {
    expect((await gateway.send('POST', CLOCK)).status).toBe(503)
  })
})

describe('the web server', () => {
  const STATUS = '/unit_api/system/web_server/status'
  const RESTART = '/unit_api/system/web_server/restart'

  test.each(['u1', ''])(
    'of a unit led by %j tells that it works, and is started again by the services',
    async (leader) => {
      ledBy(leader)
      const orders = await gateway.serve(restartWebServerTask, taken)
      const { json, headers } = await gateway.get(STATUS)
      expect(json).toMatchObject({ state: 'ready' })
      expect(headers.get('cache-control')).toBe('public, max-age=3')
      expect((await gateway.send('POST', RESTART)).status).toBe(202)
      expect(orders).toHaveLength(1)
    },
  )

  test('of a worker is not for clients, not even while it is being started again', async () => {
    ledBy('boss')
    gateway.given(task({ task_id: 't', name: 'restart_web_server', lock: 'web-restart-lock', status: 'running' }))
    for (const answer of [await gateway.get(STATUS), await gateway.send('PATCH', RESTART)]) {
      expect(answer.json).toEqual({ status: 403, error: expect.stringContaining('leader'), cause: expect.any(String) })
    }
  })
})

test('addresses, disk and memory are numbers of this computer', async () => {
  expect((await gateway.get('/unit_api/system/ipv4')).json).toEqual({
    ipv4_address: expect.stringMatching(/^(\d+(\.\d+){3}(,\d+(\.\d+){3})*)?$/),
  })
  for (const path of ['disk_space', 'memory']) {
    const { json, headers } = await gateway.get(`/unit_api/system/${path}`)
    const { available_bytes, total_bytes } = json as Record<string, number>
    expect(available_bytes).toBeGreaterThan(0)
    expect(total_bytes).toBeGreaterThanOrEqual(available_bytes ?? 0)
    expect(headers.get('cache-control')).toBe('public, max-age=10')
  }
})
