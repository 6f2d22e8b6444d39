import { expect, test } from 'vitest'
import { LedBoard } from '../../../../services/bioreactor/board/led-board.js'
import { FakeBioreactor } from '../../../support/fake-bioreactor.js'
import { FakeClock } from '../../../support/fake-clock.js'

const user = { emit: () => undefined, log: () => undefined, experiment: 'exp' }

function rig() {
  const clock = new FakeClock()
  const bioreactor = new FakeBioreactor()
  return { clock, bioreactor, leds: new LedBoard(bioreactor.leds, clock) }
}

test('LEDs are all tried, whichever of them refuses', async () => {
  const { clock, bioreactor, leds } = rig()
  await leds.set({ A: 10, B: 10, C: 10, D: 10 }, user)
  // As many tries as one LED has.
  bioreactor.deafTo = 6
  const off = leds.allOff(user, 'test').catch((error: unknown) => error)
  await clock.advance(10_000)
  expect(await off).toMatchObject({ family: 'hardware' })
  expect(leds.state).toEqual({ A: 10, B: 0, C: 0, D: 0 })
})

test('what borrows an LED that did not follow when it was to go out gives it back dark', async () => {
  const { clock, bioreactor, leds } = rig()
  await leds.set({ B: 30 }, user)
  bioreactor.deafTo = 6
  const off = leds.set({ B: 0 }, user).catch((error: unknown) => error)
  await clock.advance(10_000)
  expect(await off).toMatchObject({ family: 'hardware' })
  expect([leds.state.B, leds.wanted.B]).toEqual([30, 0])
})

test('LEDs that are put out while a reading has locked them stay dark when it gives them back', async () => {
  const { leds } = rig()
  await leds.set({ B: 30, C: 40 }, user)
  const lock = leds.lock(['B', 'C'])
  await leds.set({ B: 0, C: 0 }, user, undefined, lock)
  await leds.putOut(['B'], user)
  await leds.set({ B: 30, C: 40 }, user, undefined, lock)
  expect(leds.state).toMatchObject({ B: 0, C: 40 })
  leds.unlock(lock)
  await leds.set({ B: 20 }, user)
  expect(leds.state).toMatchObject({ B: 20, C: 40 })
})
