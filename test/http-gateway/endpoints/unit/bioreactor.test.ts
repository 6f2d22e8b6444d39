import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { correctLiquidCommand } from '../../../../events/bioreactor/commands.js'
import { bioreactorValues, type Liquid, liquidEvent } from '../../../../events/bioreactor/liquids.js'
import { vesselEvent } from '../../../../events/bioreactor/vessel.js'
import { InvalidInput } from '../../../../events/core/errors.js'
import { startTestGateway, type TestGateway } from '../../support/start-test-gateway.js'

let gateway: TestGateway
beforeEach(async () => {
  gateway = await startTestGateway()
})
afterEach(() => gateway.stop())

const PATH = '/unit_api/bioreactor/experiments/exp1'
const timestamp = '2026-01-02T03:04:05.000Z'
const liquid: Liquid = {
  volume_ml: 11.2,
  efflux_tube_volume_ml: 15,
  composition: { media: 0.7, alt_media: 0.3 },
  added_ml: { media: 2 },
  removed_ml: 1,
  spilled_ml: 0,
}
const vial = (volume_ml: number, unit = 'u1', experiment = 'exp1') => ({
  topic: liquidEvent.topic({ unit, experiment }),
  payload: { liquid: { ...liquid, volume_ml }, capacity_ml: 20, pumping: [], timestamp },
})
const initial = {
  current_volume_ml: 14,
  efflux_tube_volume_ml: 14,
  alt_media_fraction: 0,
  cumulative_media_added_ml: 0,
  cumulative_alt_media_added_ml: 0,
  cumulative_waste_removed_ml: 0,
}
const vessel = {
  topic: vesselEvent.topic({ unit: 'u1' }),
  payload: {
    model_name: 'pioreactor_20ml',
    model_version: '1.5',
    reactor_capacity_ml: 20,
    reactor_max_fill_volume_ml: 18,
    initial_values: initial,
    timestamp,
  },
}

describe('the values of a vial', () => {
  test('are six, in the order of the contract', async () => {
    gateway.given(vessel, vial(11.2), vial(3, 'u1', 'exp2'), vial(4, 'u2'))
    const { status, json } = await gateway.get(PATH)
    expect(status).toBe(200)
    expect(JSON.stringify(json)).toBe(
      JSON.stringify({
        values: {
          current_volume_ml: 11.2,
          efflux_tube_volume_ml: 15,
          alt_media_fraction: 0.3,
          cumulative_media_added_ml: 2,
          cumulative_alt_media_added_ml: 0,
          cumulative_waste_removed_ml: 1,
        },
      }),
    )
  })

  test('are those of the configuration as long as nothing happened', async () => {
    gateway.given(vessel)
    expect(await gateway.get(PATH)).toMatchObject({ status: 200, json: { values: initial } })
  })

  test('are not made up when the unit has not told its vessel', async () => {
    expect(await gateway.get(PATH)).toMatchObject({ status: 503 })
  })
})

describe('a correction', () => {
  test('is ordered of the services, and the next read shows it', async () => {
    gateway.given(vessel)
    const orders = await gateway.serve(correctLiquidCommand, () => {
      gateway.given(vial(12.5))
      return { values: bioreactorValues(liquid) }
    })
    const values = { current_volume_ml: 12.5, alt_media_fraction: '0.3', cumulative_media_added_ml: true }
    expect(await gateway.send('PATCH', PATH, { values })).toMatchObject({ status: 200, json: { status: 'success' } })
    expect(orders).toMatchObject([{ experiment: 'exp1', values }])
    expect(await gateway.get(PATH)).toMatchObject({ json: { values: { current_volume_ml: 12.5 } } })
  })

  test('that is refused is 400 in the words of the services', async () => {
    await gateway.serve(correctLiquidCommand, () => {
      throw new InvalidInput('efflux_tube_volume_ml is 100 mL; it must be 0 to 20 mL.')
    })
    const { status, json } = await gateway.send('PATCH', PATH, { values: { efflux_tube_volume_ml: 100 } })
    expect(status).toBe(400)
    expect(json).toMatchObject({ error: expect.stringContaining('efflux_tube_volume_ml') as string, status: 400 })
  })

  test.each(['{', '[]', '{}', '{"values": []}', '{"values": 3}'])('%s is 400 and orders nothing', async (body) => {
    const orders = await gateway.serve(correctLiquidCommand, () => ({ values: initial }))
    const { status, json } = await gateway.send('PATCH', PATH, body)
    expect(status).toBe(400)
    expect(json).toMatchObject({ error: 'Invalid request body.', cause: expect.any(String) as string })
    expect(orders).toEqual([])
  })
})
