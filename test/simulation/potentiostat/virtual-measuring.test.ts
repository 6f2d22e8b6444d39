import { describe, expect, test } from 'vitest'
import { encodeFloats } from '../../../services/transport/register-values.codec.js'
import { cells } from '../../../simulation/potentiostat/cell-models.js'
import { GivenDevice } from './given-device.js'

describe('queues', () => {
  test('one pair per point, measured before the point is applied', () => {
    const given = new GivenDevice()
    given.command('setTiaGain', 0)
    given.write(0x3004, encodeFloats([1]))
    given.write(0x300a, encodeFloats([1]))
    given.points(0.5, -0.5, 0.25)
    given.command('fifoStart', 1)
    given.steps(4)
    const pairs = given.readFloats(0x0100, 8)
    for (const [k, potentialV] of [0, 0.5, -0.5, 0.25].entries()) {
      expect(pairs[2 * k + 1]).toBeCloseTo(potentialV, 2)
      expect(pairs[2 * k]).toBeCloseTo(potentialV / 1000, 5)
    }
  })

  test('a read takes all or nothing', () => {
    const given = new GivenDevice()
    given.command('fifoStart', 0)
    given.steps(29)
    expect(given.read(0x0100, 120)).toBe('exception 6')
    given.steps(1)
    expect(given.read(0x0100, 120)).toHaveLength(120)
    expect(given.read(0x0100, 4)).toBe('exception 6')
  })

  test('a full queue of pairs forgets the oldest', () => {
    const given = new GivenDevice()
    given.command('fifoStart', 0)
    given.steps(2048 + 50)
    expect(given.live().adcQueued).toBe(2048)
    expect(given.device.core.overflows).toBe(50)
    let pairs = 0
    while (given.read(0x0100, 124) !== 'exception 6') pairs += 31
    expect(pairs).toBe(Math.floor(2048 / 31) * 31)
  })

  test('points are accepted while stopped, and refused as a whole when they do not fit', () => {
    const given = new GivenDevice()
    for (let block = 0; block < 68; block++) expect(given.points(...new Array<number>(60).fill(0.1))).toBe('ok')
    expect(given.points(...new Array<number>(17).fill(0.1))).toBe('exception 6')
    expect(given.points(...new Array<number>(16).fill(0.1))).toBe('ok')
    expect(given.points(0.1)).toBe('exception 6')
    given.command('fifoStart', 0)
    given.steps(4096)
    expect(given.live().dacQueued).toBe(0)
    expect(given.device.core.underruns).toBe(0)
  })

  test('an empty queue of points holds the last potential and is counted', () => {
    const given = new GivenDevice()
    given.points(0.3)
    given.command('fifoStart', 1)
    given.steps(6)
    expect(given.live()).toMatchObject({ dacQueued: -1, adcQueued: 6 })
    expect(given.device.setV).toBe(Math.fround(0.3))
    expect(given.device.core.underruns).toBe(5)
  })

  test('CLEAR_FIFO and FIFO_START forget pairs, nothing forgets points', () => {
    const given = new GivenDevice()
    given.points(0.1, 0.1, 0.1)
    given.command('fifoStart', 0)
    given.steps(1)
    given.command('clearFifo', 1)
    expect(given.read(0x0100, 4)).toBe('exception 6')
    given.steps(1)
    given.command('clearFifo', 0)
    given.command('fifoStart', 0)
    expect(given.read(0x0100, 4)).toBe('exception 6')
    given.steps(1)
    expect(given.live().dacQueued).toBe(0)
  })

  test('the points block can be read back; it is not the queue', () => {
    const given = new GivenDevice()
    given.points(0.5, 0.25)
    given.command('fifoStart', 0)
    given.steps(3)
    expect(given.readFloats(0x0200, 2)).toEqual([0.5, 0.25])
  })

  test('the period settles at 358 ticks', () => {
    const given = new GivenDevice()
    given.run(2)
    given.command('fifoStart', 0)
    given.steps(1)
    expect(given.live().sampleTicks).toBeGreaterThan(10_000)
    given.run(0.5)
    expect(Math.abs(given.live().sampleTicks - 358)).toBeLessThan(70)
  })
})

describe('measuring', () => {
  test('1 kΩ at +0.5 V reads +0.5 mA and +0.5 V', () => {
    const given = new GivenDevice()
    given.command('setTiaGain', 0)
    given.points(0.5)
    given.command('fifoStart', 1)
    given.run(0.5)
    expect(given.live().currentA).toBeCloseTo(0.5e-3, 5)
    expect(given.live().potentialV).toBeCloseTo(0.5, 2)
  })

  test('current beyond the range sticks at full scale', () => {
    const given = new GivenDevice()
    given.command('setTiaGain', 2)
    given.points(0.5)
    given.command('fifoStart', 1)
    given.run(0.5)
    expect(given.live().currentA).toBeCloseTo(4.95 / 99009.90099, 9)
  })

  test('potentials come in steps of the DAC', () => {
    const given = new GivenDevice()
    given.points(0.001)
    given.command('fifoStart', 1)
    given.run(0.5)
    expect(Math.abs(given.live().potentialV - 0.0012)).toBeLessThan(2e-4)
  })

  test('the running average leaves a fourteenth of the noise', () => {
    const given = new GivenDevice()
    given.run(0.5)
    const values = Array.from({ length: 400 }, () => {
      given.steps(20)
      return given.live().potentialV
    })
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length
    const rms = Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length)
    expect(rms).toBeGreaterThan(0.5 * 450e-6 * 0.071)
    expect(rms).toBeLessThan(1.5 * 450e-6 * 0.071)
  })

  test('the default cell rests at 0.22 V with the switch open', () => {
    const given = new GivenDevice({ cell: cells.randles })
    given.command('fifoStart', 0)
    given.run(0.3)
    expect(given.live().potentialV).toBeCloseTo(0.22, 3)
    expect(Math.abs(given.live().currentA)).toBeLessThan(1e-8)
  })

  test('the same seed gives the same readings, another seed others', () => {
    const readings = (seed: number): number[] => {
      const given = new GivenDevice({ seed })
      given.command('fifoStart', 0)
      given.steps(30)
      return given.readFloats(0x0100, 60)
    }
    expect(readings(3)).toEqual(readings(3))
    expect(readings(3)).not.toEqual(readings(4))
  })

  test('a voltammogram of the default cell at 0.1 V/s through the queues: two peaks around 0.22 V, everything off afterwards', () => {
    const given = new GivenDevice({ cell: cells.randles })
    const perSweep = Math.trunc(0.65 / 0.1 / 0.00036)
    const wave = Array.from(
      { length: 2 * perSweep },
      (_, k) => -0.1 + (0.65 * (k < perSweep ? k : 2 * perSweep - k)) / perSweep,
    )
    given.command('setTiaGain', 1)
    given.write(0x0500, encodeFloats([-0.1, 0, 1.65]))
    let written = 0
    const refill = (): void => {
      while (written < wave.length && given.device.core.dacFifo.room >= 60) {
        given.points(...wave.slice(written, written + 60))
        written += 60
      }
    }
    refill()
    given.command('fifoStart', 1)
    const pairs: [number, number][] = []
    while (pairs.length < wave.length) {
      given.steps(30)
      refill()
      const block = given.readFloats(0x0100, 60)
      for (let i = 0; i < 60; i += 2) pairs.push([block[i] ?? 0, block[i + 1] ?? 0])
    }
    expect(given.device.core.underruns).toBeLessThan(60)
    given.command('testStop', 1)
    given.steps(2)
    expect(given.live()).toMatchObject({ state: 0, dacQueued: -1 })

    const settled = pairs.slice(500)
    const anodic = settled.reduce((best, pair) => (pair[0] > best[0] ? pair : best))
    const cathodic = settled.reduce((best, pair) => (pair[0] < best[0] ? pair : best))
    expect(anodic[1] - cathodic[1]).toBeGreaterThan(0.08)
    expect(anodic[1] - cathodic[1]).toBeLessThan(0.1)
    expect((anodic[1] + cathodic[1]) / 2).toBeCloseTo(0.22, 2)
  })
})
