import fc from 'fast-check'
import { expect, test } from 'vitest'
import { learntDuty, motorGain } from '../../../../services/bioreactor/control/stirring/motor-gain.js'

test.each([
  [{ targetRpm: 400, measuredRpm: 500, dutyPercent: 30 }, 24],
  [{ targetRpm: 500, measuredRpm: 250, dutyPercent: 30 }, 60],
  [{ targetRpm: 500, measuredRpm: 480, dutyPercent: 30 }, null],
  [{ targetRpm: 500, measuredRpm: 525, dutyPercent: 30 }, null],
  [{ targetRpm: 500, measuredRpm: 0, dutyPercent: 30 }, null],
  [{ targetRpm: 500, measuredRpm: 500, dutyPercent: 0 }, null],
  [{ targetRpm: 500, measuredRpm: 5, dutyPercent: 20 }, 60],
  [{ targetRpm: 1500, measuredRpm: 800, dutyPercent: 60 }, 100],
])('%j asks for %s %%', (measured, duty) => {
  expect(learntDuty(measured)).toBe(duty)
})

test('one measurement brings a proportional motor to its target', () => {
  const gain = fc.double({ min: 8, max: 34, noNaN: true })
  fc.assert(
    fc.property(gain, fc.double({ min: 20, max: 60, noNaN: true }), (rpmPerPercent, dutyPercent) => {
      const measured = { targetRpm: 500, measuredRpm: rpmPerPercent * dutyPercent, dutyPercent }
      const duty = learntDuty(measured) ?? dutyPercent
      expect(Math.abs(duty * rpmPerPercent - 500)).toBeLessThan(26)
      expect(motorGain(measured)).toBeCloseTo(rpmPerPercent, 9)
    }),
  )
})
