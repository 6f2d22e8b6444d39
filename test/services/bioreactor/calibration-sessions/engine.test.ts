import { Type } from '@sinclair/typebox'
import { describe, expect, test } from 'vitest'
import { SessionStep } from '../../../../events/bioreactor/calibration-sessions.js'
import { violations } from '../../../../events/schema.js'
import {
  abortSession,
  advanceSession,
  findProtocol,
  protocolsOf,
  showSession,
  startSession,
} from '../../../../services/bioreactor/calibration-sessions/engine.js'
import { fields } from '../../../../services/bioreactor/calibration-sessions/fields.js'
import { defineProtocol } from '../../../../services/bioreactor/calibration-sessions/protocol.js'
import { protocols } from '../../../../services/bioreactor/calibration-sessions/protocols/index.js'
import { configOf, factsOf, scriptedExecutor, THREE_ANGLES } from '../../../support/scripted-session.js'

const zero = defineProtocol({
  name: 'zero',
  title: 'Zero of the {device}',
  description: 'Takes what the {device} shows as zero.',
  requirements: ['A clean {device}'],
  devices: () => ['top_balance'],
  data: Type.Object({ grams: Type.Array(Type.Number()) }),
  first: 'read',
  steps: {
    read: {
      show: ({ data }) => ({
        type: 'form',
        title: 'Read it',
        body: `${data.grams.length} so far`,
        fields: [fields.number('grams', 'g', { minimum: 0 })],
      }),
      next({ data }, inputs) {
        const grams = [...data.grams, inputs.number('grams')]
        if (grams.length < 2) return { to: 'read', data: { grams } }
        return inputs.action === 'fail' ? { failed: 'They differ.' } : { complete: { title: 'Done', grams } }
      },
    },
  },
  begin: () => ({ grams: [] }),
})

const { executor } = scriptedExecutor()
const facts = factsOf()
const later = { ...facts, now: new Date('2026-03-04T06:00:00Z') }
const begin = () => startSession(zero, 'top_balance', 'id-1', facts, executor)

describe('a session', () => {
  test('goes from step to step and ends with a result', async () => {
    const first = await begin()
    expect(first).toEqual({
      session_id: 'id-1',
      protocol_name: 'zero',
      target_device: 'top_balance',
      status: 'in_progress',
      step_id: 'read',
      data: { grams: [] },
      created_at: '2026-03-04T05:06:07.891Z',
      updated_at: '2026-03-04T05:06:07.891Z',
      result: null,
      error: null,
    })
    expect(showSession(zero, first, facts)).toEqual({
      step_id: 'read',
      step_type: 'form',
      title: 'Read it',
      body: '0 so far',
      fields: [
        {
          name: 'grams',
          label: 'g',
          field_type: 'float',
          required: true,
          default: null,
          options: null,
          minimum: 0,
          maximum: null,
          min_error_msg: null,
          max_error_msg: null,
          help_text: null,
        },
      ],
      metadata: {},
    })
    const second = await advanceSession(zero, first, { grams: '1' }, later, executor)
    expect(second).toMatchObject({ step_id: 'read', data: { grams: [1] }, updated_at: '2026-03-04T06:00:00.000Z' })
    const done = await advanceSession(zero, second, { grams: 2 }, later, executor)
    expect(done).toMatchObject({ status: 'complete', step_id: 'complete', result: { title: 'Done', grams: [1, 2] } })
    expect(showSession(zero, done, later)).toMatchObject({
      step_id: 'complete',
      step_type: 'result',
      title: 'Done',
      metadata: { result: { grams: [1, 2] } },
    })
    expect(await advanceSession(zero, done, { grams: 3 }, later, executor)).toBe(done)
  })

  test('that is refused an input has not changed', async () => {
    const session = await begin()
    await expect(advanceSession(zero, session, { grams: -1 }, later, executor)).rejects.toThrow('at least 0')
    expect(session).toEqual(await begin())
  })

  test('that fails tells why', async () => {
    const second = await advanceSession(zero, await begin(), { grams: 1 }, later, executor)
    const failed = await advanceSession(zero, second, { grams: 2, action: 'fail' }, later, executor)
    expect(failed).toMatchObject({ status: 'failed', step_id: 'ended', error: 'They differ.' })
    expect(showSession(zero, failed, later)).toMatchObject({
      step_id: 'ended',
      step_type: 'info',
      body: 'They differ.',
    })
  })

  test('is aborted once, and only while it is under way', async () => {
    const aborted = abortSession(await begin(), 'Aborted by user.', later.now)
    expect(aborted).toMatchObject({ status: 'aborted', step_id: 'ended', error: 'Aborted by user.' })
    expect(showSession(zero, aborted, later).body).toBe('Aborted by user.')
    expect(abortSession(aborted, 'again', later.now)).toBe(aborted)
    expect(await advanceSession(zero, aborted, { grams: 1 }, later, executor)).toBe(aborted)
  })

  test('whose memory an earlier version wrote in another form is refused, not misread', async () => {
    const session = { ...(await begin()), data: { grams: 'none' } }
    await expect(advanceSession(zero, session, { grams: 1 }, later, executor)).rejects.toThrow('data.grams')
  })
})

describe('the list of protocols', () => {
  test('has the devices that the configuration has, by device, priority and title', () => {
    const ids = (config = configOf()): string[] => protocolsOf(protocols, config).map(({ id }) => id)
    expect(ids()).toEqual([
      'alt_media_pump_duration_based',
      'media_pump_duration_based',
      'od90_standards',
      'od_fused_od_fusion_standards',
      'od_fused_od_fusion_offset',
      'stirring_dc_based',
      'waste_pump_duration_based',
    ])
    expect(ids(configOf(THREE_ANGLES)).filter((id) => id.endsWith('_standards'))).toEqual([
      'od_standards',
      'od135_standards',
      'od45_standards',
      'od90_standards',
      'od_fused_od_fusion_standards',
    ])
    expect(ids(configOf({ 'temperature_fir.config': {} }))).toContain('temperature_fir_fir_temperature_bias_trim')
  })

  test('has texts in which the device stands', () => {
    const [pump] = protocolsOf(protocols, configOf())
    expect(pump).toMatchObject({
      target_device: 'alt_media_pump',
      protocol_name: 'duration_based',
      priority: 99,
      title: 'Duration-based pump calibration',
      description: 'Finds how much the alt media pump moves in how many seconds.',
    })
    expect(JSON.stringify(protocolsOf([...protocols, zero], configOf()))).not.toContain('{device}')
  })

  test('is named to who asks for something else', () => {
    expect(() => findProtocol(protocols, 'standards', 'od45', configOf())).toThrow(
      /There is no protocol 'standards' for 'od45'/,
    )
    expect(findProtocol(protocols, 'standards', 'od90', configOf()).name).toBe('standards')
  })
})

test('a protocol whose first step is none is a defect of ours', () => {
  const { name, title, description, requirements, devices } = zero
  const described = { name, title, description, requirements, devices, data: Type.Object({}), begin: () => ({}) }
  expect(() => defineProtocol({ ...described, first: 'nowhere', steps: {} })).toThrow('nowhere')
})

test('a step is as clients expect it', async () => {
  expect(violations(SessionStep, showSession(zero, await begin(), facts))).toEqual([])
})
