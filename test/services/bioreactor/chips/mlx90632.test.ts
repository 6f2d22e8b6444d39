import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  ambientC,
  cyclePosition,
  decodeConstants,
  decodeResults,
  encodeConstants,
  encodePointer,
  encodeResults,
  encodeWrite,
  hasNewData,
  isProductCode,
  noHistory,
  objectTemperature,
  opticalTerms,
  withContinuousMedical,
  withoutNewData,
} from '../../../../services/bioreactor/chips/mlx90632.codec.js'
import { openMlx90632 } from '../../../../services/bioreactor/chips/mlx90632.js'
import { createInProcessHardware } from '../../../../simulation/in-process-hardware.js'
import { VirtualBench } from '../../../../simulation/virtual-bench.js'
import { FakeClock } from '../../../support/fake-clock.js'
import { ScriptedI2c } from './scripted-i2c.js'

const constants = decodeConstants(
  encodeConstants({
    P_R: 0x00587f5b,
    P_G: 0x04a10289,
    P_T: 0xfff966f8,
    P_O: 0x00001e0f,
    Ea: 4859535,
    Eb: 5686508,
    Fa: 53855361,
    Fb: 42874149,
    Ga: -14556410,
    Gb: 9728,
    Ka: 10752,
    Ha: 16384,
    Hb: 0,
  }),
)
const results = decodeResults([149, 151, 22454, 150, 152, 23030])

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

describe('the codec', () => {
  test('MLX-1: constants are scaled', () => {
    expect(constants.P_R).toBe(22655.35546875)
    expect(constants.P_G).toBeCloseTo(74.06311893463135, 12)
    expect(constants.P_O).toBe(30.05859375)
    expect(constants.Ea).toBeCloseTo(74.15061950683594, 12)
    expect(constants.Eb).toBe(22212.921875)
  })

  test('MLX-2: the temperature of the sensor', () => {
    expect(ambientC(constants, results)).toBeCloseTo(48.7240511897, 9)
  })

  test('MLX-3: the terms of the object, and none between two halves', () => {
    const { signal, reference, ratio, sensorC } = opticalTerms(constants, 2, results)
    expect(signal).toBe(150)
    expect(reference).toBe(42677.25)
    expect(ratio).toBeCloseTo(153.561909448, 8)
    expect(sensorC).toBeCloseTo(49.657273451, 8)
    expect(opticalTerms(constants, 1, results).signal).toBe(151)
    expect(opticalTerms(constants, 3, results).signal).toBeNaN()
  })

  test('MLX-4 and MLX-5: the object, whose sensitivity follows what it was before', () => {
    const first = objectTemperature(constants, 2, results, noHistory)
    const second = objectTemperature(constants, 2, results, first)
    const third = objectTemperature(constants, 2, results, second)
    expect(first.objectC).toBeCloseTo(51.1234835416, 8)
    expect(second.objectC).toBeCloseTo(51.137822833, 8)
    expect(third.objectC).toBeCloseTo(51.1378183681, 8)
  })

  test('words of 16 bits at addresses of 16 bits, high byte first', () => {
    expect(hex(encodePointer(0x2409))).toBe('2409')
    expect(hex(encodeWrite(0x3005, 0x0006))).toBe('30050006')
    expect(hex(encodeWrite(0x3001, withContinuousMedical(0)))).toBe('30010006')
    expect(withContinuousMedical(0x0918)).toBe(0x080e)
    expect(hasNewData(0x0009)).toBe(true)
    expect(cyclePosition(0x0009)).toBe(2)
    expect(hex(encodeWrite(0x3fff, withoutNewData(0x0009)))).toBe('3fff0008')
    expect([0x0000, 0xffff, 0x0001].map(isProductCode)).toEqual([false, false, true])
  })

  test('what a sensor would hold at two temperatures is read as those', () => {
    const temperature = fc.double({ min: 5, max: 80, noNaN: true })
    fc.assert(
      fc.property(temperature, temperature, (objectC, sensorC) => {
        const held = encodeResults(constants, objectC, sensorC)
        let seen = noHistory
        for (let sample = 0; sample < 4; sample++) seen = objectTemperature(constants, 1 + (sample % 2), held, seen)
        expect(Math.abs(ambientC(constants, held) - sensorC)).toBeLessThan(0.02)
        expect(Math.abs(seen.objectC - objectC)).toBeLessThan(0.05)
      }),
    )
  })
})

describe('the driver', () => {
  test('refuses what has no product code, before it writes anything', async () => {
    const i2c = new ScriptedI2c(['ffff'])
    await expect(openMlx90632(i2c, new FakeClock(), 0x3a)).rejects.toMatchObject({ code: 'infrared.not_programmed' })
    expect(i2c.transactions).toEqual(['3a W[24 09] R[ff ff]'])
  })

  test('reads product code and constants, resets, measures continuously, clears old data', async () => {
    const i2c = new ScriptedI2c(['0001', ...Array.from({ length: 22 }, () => '7f5b'), '0000', '0009', '0008'])
    const clock = new FakeClock()
    const opening = openMlx90632(i2c, clock, 0x3a)
    await clock.advance(5)
    expect(await (await opening).read()).toBeNull()
    expect(i2c.transactions.slice(0, 3)).toEqual([
      '3a W[24 09] R[00 01]',
      '3a W[24 0c] R[7f 5b]',
      '3a W[24 0d] R[7f 5b]',
    ])
    expect(i2c.transactions.slice(-6)).toEqual([
      '3a W[30 05 00 06]',
      '3a W[30 01] R[00 00]',
      '3a W[30 01 00 06]',
      '3a W[3f ff] R[00 09]',
      '3a W[3f ff 00 08]',
      '3a W[3f ff] R[00 08]',
    ])
  })

  test('reads the vial of a bench twice a second, and nothing in between', async () => {
    const clock = new FakeClock()
    const bench = new VirtualBench({ clock, seed: 1, infrared: true })
    const { i2c } = createInProcessHardware(bench)
    const opening = openMlx90632(i2c, clock, 0x3a)
    await clock.advance(5)
    const thermometer = await opening
    expect(await thermometer.read()).toBeNull()
    await clock.advance(500)
    const first = await thermometer.read()
    expect(first?.sensorC).toBeCloseTo(22, 0)
    expect(await thermometer.read()).toBeNull()
    bench.setPwm(18, 40)
    await clock.advance(1_200_000)
    await thermometer.read()
    await clock.advance(500)
    const warmed = await thermometer.read()
    expect(warmed?.objectC).toBeGreaterThan((first?.objectC ?? 0) + 3)
    expect(warmed?.sensorC).toBeCloseTo(22, 0)
  })

  test('a stock board has none', async () => {
    const { i2c } = createInProcessHardware(new VirtualBench({ clock: new FakeClock(), seed: 1 }))
    await expect(openMlx90632(i2c, new FakeClock(), 0x3a)).rejects.toMatchObject({ code: 'hardware.no_device' })
  })
})
