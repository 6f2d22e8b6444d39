import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { SessionView } from '../../../../events/bioreactor/calibration-sessions.js'
import { answerCommands } from '../../../../services/runtime/answer-commands.js'
import { createSessionWorld, type SessionLab, startSessionLab } from '../../../support/session-lab.js'
import { silentLogger } from '../../../support/silent-logger.js'
import { type Answer, startTestGateway, type TestGateway } from '../../support/start-test-gateway.js'

let gateway: TestGateway
let lab: SessionLab

/** The gateway, and the guided calibrations of a virtual vial; what they publish is recorded and folded. */
beforeEach(async () => {
  gateway = await startTestGateway()
  const { broker, given } = gateway
  const recorded = broker.connect()
  await recorded.subscribe('system/u1/#', ({ topic, payload }) => given({ topic, payload, retain: true }))
  lab = await startSessionLab({ ...createSessionWorld(), broker })
  // Who starts takes those before for dead.
  await gateway.say('ready')
  const { clock } = lab.lab
  const find = (name: string) => lab.commands.find(({ command }) => command.name === name)
  await answerCommands(find, { unit: 'u1', clock, logger: silentLogger, bus: broker.connect() })
})
afterEach(async () => {
  await lab.end()
  await gateway.stop()
})

const SESSIONS = '/unit_api/calibrations/sessions'
/** Sends a request, and lets the time of the vial pass until it is answered. */
const send = (method: string, path: string, body?: unknown): Promise<Answer> =>
  lab.run(gateway.send(method, path, body))
const begin = (target_device: string, protocol_name: string) => send('POST', SESSIONS, { target_device, protocol_name })
const viewOf = ({ json }: Answer): SessionView => json as SessionView
const idOf = (answer: Answer): string => viewOf(answer).session.session_id
const answerStep = (id: string, inputs: object = {}) => send('POST', `${SESSIONS}/${id}/inputs`, { inputs })

describe('guided calibrations', () => {
  test('are listed as clients expect them', async () => {
    const { status, json } = await send('GET', '/unit_api/calibration_protocols')
    expect(status).toBe(200)
    const ids = (json as { id: string }[]).map(({ id }) => id)
    expect(ids).toEqual([
      'alt_media_pump_duration_based',
      'media_pump_duration_based',
      'od90_standards',
      'od_fused_od_fusion_standards',
      'od_fused_od_fusion_offset',
      'stirring_dc_based',
      'waste_pump_duration_based',
    ])
    expect((json as unknown[])[0]).toEqual({
      id: 'alt_media_pump_duration_based',
      target_device: 'alt_media_pump',
      protocol_name: 'duration_based',
      priority: 99,
      title: 'Duration-based pump calibration',
      description: 'Finds how much the alt media pump moves in how many seconds.',
      requirements: expect.any(Array) as unknown,
    })
  })

  test('lead step by step to a calibration that is in use', async () => {
    const begun = await begin('stirring', 'dc_based')
    expect(begun.status).toBe(201)
    expect(viewOf(begun)).toMatchObject({ session: { status: 'in_progress' }, step: { step_id: 'intro', fields: [] } })
    const id = idOf(begun)
    expect(viewOf(await answerStep(id)).step.step_id).toBe('run_calibration')
    const done = await send('POST', `${SESSIONS}/${id}/inputs`, {})
    expect(done.status).toBe(200)
    expect(viewOf(done)).toMatchObject({ session: { status: 'complete' }, step: { step_type: 'result' } })
    expect((await send('GET', `${SESSIONS}/${id}`)).json).toEqual(done.json)
    expect((await send('GET', '/unit_api/calibrations/sessions')).status).toBe(404)
    const name = await lab.stores.calibrations.activeName('stirring')
    expect(viewOf(done).session.result).toMatchObject({ calibrations: [{ calibration_name: name }] })
  })

  test('refuse what they cannot take, by field, and stay where they are', async () => {
    const id = idOf(await begin('media_pump', 'duration_based'))
    for (let step = 0; step < 4; step++) await answerStep(id)
    const { status, json } = await answerStep(id, { mls_to_calibrate_for: 'a lot' })
    expect(status).toBe(400)
    expect(json).toMatchObject({ error: expect.stringContaining('mls_to_calibrate_for') as string, status: 400 })
    expect(viewOf(await send('GET', `${SESSIONS}/${id}`)).step.step_id).toBe('volume_targets')
  })

  test.each([
    [{ target_device: 'media_pump' }, 'protocol_name'],
    [{ target_device: 'media_pump', protocol_name: 'magic' }, 'magic'],
    [{ target_device: 'od45', protocol_name: 'standards' }, 'od45'],
    ['{', 'body'],
  ])('of %j are not begun', async (body, named) => {
    const { status, json } = await send('POST', SESSIONS, body)
    expect(status).toBe(400)
    expect(JSON.stringify(json)).toContain(named)
  })

  test('that there are not are 404', async () => {
    expect((await send('GET', `${SESSIONS}/nobody`)).status).toBe(404)
    expect((await answerStep('nobody')).status).toBe(404)
    expect((await send('POST', `${SESSIONS}/nobody/abort`)).status).toBe(404)
  })

  test('do one step at a time, and are aborted in its middle', async () => {
    const id = idOf(await begin('media_pump', 'duration_based'))
    for (let step = 0; step < 7; step++) await answerStep(id)
    const running = gateway.send('POST', `${SESSIONS}/${id}/inputs`, { inputs: { prime_duration_s: 250 } })
    await lab.until(() => (lab.lab.bench.outputs.pwm['13'] ?? 0) > 0)
    expect((await answerStep(id)).status).toBe(409)
    const aborted = await send('POST', `${SESSIONS}/${id}/abort`)
    expect(aborted.status).toBe(200)
    expect(viewOf(aborted)).toMatchObject({ session: { status: 'aborted', error: 'Aborted by the user.' } })
    expect(lab.lab.bench.outputs.pwm['13']).toBe(0)
    expect((await lab.run(running)).status).toBe(409)
  })

  test('whose services die in the middle of a step are answered at once', async () => {
    const id = idOf(await begin('media_pump', 'duration_based'))
    for (let step = 0; step < 7; step++) await answerStep(id)
    const running = gateway.send('POST', `${SESSIONS}/${id}/inputs`, { inputs: { prime_duration_s: 200 } })
    await lab.until(() => (lab.lab.bench.outputs.pwm['13'] ?? 0) > 0)
    await gateway.say('lost')
    const { status, json } = await running
    expect([status, (json as { error: string }).error]).toEqual([503, 'The services ended before they had answered.'])
  })
})
