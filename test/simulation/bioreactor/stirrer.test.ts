import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  isTurning,
  type MotorDrive,
  type Rotor,
  timeOfRevolution,
  turnRotor,
} from '../../../simulation/bioreactor/stirrer.js'

const STILL: Rotor = { rpm: 0, revolutions: 0 }
const at = (percent: number, gain = 1): MotorDrive => ({ percent, gain, stalled: false })
const spin = (seconds: number, drive: MotorDrive, rotor = STILL): Rotor => turnRotor(rotor, drive, seconds)

test('30 % turn it at 500 RPM, after a moment', () => {
  expect(spin(0.2, at(30)).rpm).toBeLessThan(300)
  expect(spin(5, at(30)).rpm).toBeCloseTo(500, 1)
})

test.each([0.5, 2])('a motor of gain %d turns as much slower or faster', (gain) => {
  expect(spin(60, at(30, gain)).rpm).toBeCloseTo(500 * gain, 6)
})

test('a duty that keeps it turning may not start it', () => {
  const turning = spin(5, at(30))
  expect(spin(5, at(8), turning).rpm).toBeGreaterThan(50)
  expect(spin(5, at(8)).rpm).toBe(0)
  expect(spin(5, at(2), turning).rpm).toBe(0)
  expect(isTurning(STILL, at(8))).toBe(false)
  expect(isTurning(STILL, at(12))).toBe(true)
})

test('without power friction stops it for good', () => {
  const turning = spin(5, at(30))
  const stopped = spin(3, at(0), turning)
  expect(stopped.rpm).toBe(0)
  expect(spin(100, at(0), stopped)).toEqual(stopped)
})

test('what holds the bar stops it within a fraction of a turn, and it starts again when it is released', () => {
  const turning = spin(5, at(30))
  const held = turnRotor(turning, { ...at(30), stalled: true }, 1)
  expect(held.rpm).toBe(0)
  expect(held.revolutions - turning.revolutions).toBeLessThan(0.3)
  expect(spin(5, at(30), held).rpm).toBeCloseTo(500, 1)
})

const anyDrive = fc.record({
  percent: fc.double({ min: 0, max: 100, noNaN: true }),
  gain: fc.double({ min: 0.5, max: 2, noNaN: true }),
  stalled: fc.boolean(),
})
const anyRotor = fc.record({ rpm: fc.double({ min: 0, max: 3000, noNaN: true }), revolutions: fc.constant(0) })
const seconds = fc.double({ min: 0.001, max: 100, noNaN: true })

test('the course is the same however it is cut, and never runs backwards', () => {
  fc.assert(
    fc.property(anyRotor, anyDrive, seconds, seconds, (rotor, drive, first, second) => {
      const [whole, halves] = [
        turnRotor(rotor, drive, first + second),
        turnRotor(turnRotor(rotor, drive, first), drive, second),
      ]
      // Close to rest the rounding of the first cut decides whether static friction has caught it.
      fc.pre(drive.percent > 10.001 || drive.percent < 2.999)
      expect(halves.revolutions).toBeCloseTo(whole.revolutions, 6)
      expect(whole.revolutions).toBeGreaterThanOrEqual(0)
      expect(whole.rpm).toBeGreaterThanOrEqual(0)
    }),
  )
})

describe('edges', () => {
  test('come at the times at which the revolutions are whole', () => {
    fc.assert(
      fc.property(anyRotor, anyDrive, fc.double({ min: 0.1, max: 20, noNaN: true }), (rotor, drive, duration) => {
        const { revolutions } = turnRotor(rotor, drive, duration)
        for (let whole = 1; whole <= Math.min(revolutions, 20); whole++) {
          const time = timeOfRevolution(rotor, drive, whole, duration)
          expect(time).toBeLessThanOrEqual(duration + 1e-6)
          expect(turnRotor(rotor, drive, time).revolutions).toBeCloseTo(whole, 5)
        }
      }),
    )
  })
})
