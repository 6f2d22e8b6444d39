import { describe, expect, test } from 'vitest'
import { startCulture } from '../../../support/culture.js'
import {
  expectChemostat,
  expectMorbidostat,
  expectThermostat,
  expectTurbidostat,
} from '../../../support/long-cultures.js'

// The jobs themselves, drivers included, on a growing culture. `npm run soak` has the same for days.

describe('six hours on the virtual vial, with every job at once', () => {
  test('a turbidostat holds its OD within 5 %, and what is published is so', () => expectTurbidostat(6), 120_000)

  test('a chemostat dilutes within 2 % of what is asked of it', () => expectChemostat(6), 120_000)

  test('a morbidostat slows the culture down', () => expectMorbidostat(6), 120_000)

  test(
    'a thermostat passes 37 °C by a degree at most and holds them within half of one',
    () => expectThermostat(6),
    120_000,
  )
})

test('a seed fixes every message but for ids', async () => {
  const sessions: string[][] = []
  for (const seed of [7, 7, 8]) {
    const turbidostat = { automation_name: 'turbidostat', target_biomass: 0.5, exchange_volume_ml: 0.5 }
    const lab = await startCulture({ seed, inoculum: { od: 0.5 }, dosing: turbidostat })
    await lab.clock.advance(20 * 60_000)
    // Capabilities name the directory of the unit.
    const published = lab.broker.published.filter(({ topic }) => !topic.startsWith('system/u1/capabilities/'))
    sessions.push(published.map(({ topic, payload, retain }) => `${topic} ${payload} ${retain}`))
    await lab.end()
  }
  const [first, again, other] = sessions
  expect(first?.length).toBeGreaterThan(2000)
  expect(again).toEqual(first)
  expect(other).not.toEqual(first)
}, 120_000)
