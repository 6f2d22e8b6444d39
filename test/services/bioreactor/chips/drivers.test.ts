import { describe, expect, test } from 'vitest'
import { createSerialQueue } from '../../../../primitives/serial-queue.js'
import { openAds1114 } from '../../../../services/bioreactor/chips/ads1114.js'
import { Ads1115Input } from '../../../../services/bioreactor/chips/ads1115.js'
import { createDac43608Leds } from '../../../../services/bioreactor/chips/dac43608.js'
import { createPicoLeds, openPicoInput } from '../../../../services/bioreactor/chips/pico.js'
import { readTemperatureC } from '../../../../services/bioreactor/chips/tmp1075.js'
import { FakeClock } from '../../../support/fake-clock.js'
import { ScriptedI2c } from './scripted-i2c.js'

/** Lets time pass until the work is done. */
async function during<T>(clock: FakeClock, ms: number, work: Promise<T>): Promise<T> {
  await clock.advance(ms)
  return work
}

describe('ADS1115', () => {
  const open = (i2c: ScriptedI2c, clock: FakeClock, channel: number): Ads1115Input =>
    new Ads1115Input(i2c, clock, { address: 0x48, channel }, createSerialQueue())

  test('ADS1115-1: starts a conversion, waits until it is done, reads it', async () => {
    const [i2c, clock] = [new ScriptedI2c(['5383', 'd383', '1388']), new FakeClock()]
    const input = open(i2c, clock, 1)
    expect(await during(clock, 20, input.readRaw())).toBe(5000)
    expect(i2c.transactions).toEqual(['48 W[01 d3 83]', '48 W[01] R[53 83]', '48 W[01] R[d3 83]', '48 W[00] R[13 88]'])
    expect(input.toVolts(5000)).toBeCloseTo(0.625019074, 9)
  })

  test('ADS1115-2: reads and scales by the gain it was given', async () => {
    const [i2c, clock] = [new ScriptedI2c(['cb83', '4000']), new FakeClock()]
    const input = open(i2c, clock, 0)
    await input.setGain(16)
    expect(input.toVolts(await during(clock, 20, input.readRaw()))).toBeCloseTo(0.128003906, 9)
    expect(i2c.transactions[0]).toBe('48 W[01 cb 83]')
  })

  test('a chip that stays busy is given up', async () => {
    const [i2c, clock] = [new ScriptedI2c(Array.from({ length: 200 }, () => '5383')), new FakeClock()]
    const reading = expect(open(i2c, clock, 1).readRaw()).rejects.toMatchObject({ code: 'adc.no_conversion' })
    await clock.advance(1000)
    await reading
  })

  test('inputs of one chip do not interrupt each other', async () => {
    const [i2c, clock] = [new ScriptedI2c(['d383', '0001', 'c383', '0002']), new FakeClock()]
    const serially = createSerialQueue()
    const inputs = [1, 0].map((channel) => new Ads1115Input(i2c, clock, { address: 0x48, channel }, serially))
    expect(await during(clock, 40, Promise.all(inputs.map((input) => input.readRaw())))).toEqual([1, 2])
  })
})

describe('ADS1114', () => {
  test('ADS1114-1 and 2: converts continuously and writes its configuration again when the gain changes', async () => {
    const [i2c, clock] = [new ScriptedI2c(['0c80', '6400']), new FakeClock()]
    const adc = await openAds1114(i2c, clock, 0x49)
    const volts = adc.toVolts(await during(clock, 8, adc.readRaw()))
    expect(volts).toBeCloseTo(0.400012207, 9)
    await adc.setGain(adc.gainFor(volts))
    expect(adc.toVolts(await during(clock, 8, adc.readRaw()))).toBeCloseTo(0.400012207, 9)
    expect(i2c.transactions).toEqual(['49 W[01 02 83]', '49 W[00] R[0c 80]', '49 W[01 08 83]', '49 W[00] R[64 00]'])
  })

  test('waits for a new conversion after each configuration and each read', async () => {
    const [i2c, clock] = [new ScriptedI2c(['0001', '0002']), new FakeClock()]
    const adc = await openAds1114(i2c, clock, 0x49)
    const readings = Promise.all([adc.readRaw().then(() => adc.readRaw())])
    await clock.advance(7.8)
    expect(i2c.transactions).toHaveLength(1)
    await clock.advance(0.1)
    expect(i2c.transactions).toHaveLength(2)
    await clock.advance(7.7)
    expect(i2c.transactions).toHaveLength(2)
    await clock.advance(0.1)
    expect(await readings).toEqual([2])
  })

  test('a gain it does not have leaves everything as it was', async () => {
    const i2c = new ScriptedI2c()
    const adc = await openAds1114(i2c, new FakeClock(), 0x49)
    await expect(adc.setGain(3)).rejects.toMatchObject({ code: 'adc.unknown_gain' })
    expect(adc.gain).toBe(1)
    expect(i2c.transactions).toHaveLength(1)
  })
})

describe('RP2040', () => {
  test('PICO-3: an input is scaled as the firmware sums', async () => {
    const [new5, old3] = [new ScriptedI2c(['0500', 'a861']), new ScriptedI2c(['0300', 'a861'])]
    const [adc5, adc3] = [
      await openPicoInput(new5, { address: 0x2c, channel: 2 }),
      await openPicoInput(old3, { address: 0x2c, channel: 2 }),
    ]
    expect(adc5.toVolts(await adc5.readRaw())).toBeCloseTo(0.629578755, 9)
    expect(adc3.toVolts(await adc3.readRaw())).toBeCloseTo(1.259157509, 9)
    expect(new5.transactions).toEqual(['2c W[08] R[05 00]', '2c W[06] R[a8 61]'])
  })

  test('has only gain 1', async () => {
    const adc = await openPicoInput(new ScriptedI2c(['0500']), { address: 0x2c, channel: 2 })
    expect(adc.gainFor(0.1)).toBe(1)
    await expect(adc.setGain(2)).rejects.toMatchObject({ code: 'adc.unknown_gain' })
  })
})

describe('LED outputs', () => {
  test('of the RP2040 take one write', async () => {
    const i2c = new ScriptedI2c()
    const leds = createPicoLeds(i2c, 0x2c)
    await leds.set('A', 80)
    await leds.set('C', 30)
    expect(i2c.transactions).toEqual(['2c W[00 cc]', '2c W[02 4c]'])
    expect(leds.state).toEqual({ A: 80, B: 0, C: 30, D: 0 })
  })

  test('DAC-1 to 4: of the DAC43608 power up before the level, and down without one', async () => {
    const i2c = new ScriptedI2c(['00ff', '00fe', '00fa', '00fb'])
    const leds = createDac43608Leds(i2c, 0x49)
    await Promise.all([leds.set('A', 50), leds.set('C', 30), leds.set('A', 0), leds.set('D', 100)])
    expect(i2c.transactions).toEqual([
      '49 W[01] R[00 ff]',
      '49 W[01 00 fe]',
      '49 W[08 08 00]',
      '49 W[01] R[00 fe]',
      '49 W[01 00 fa]',
      '49 W[0a 04 c0]',
      '49 W[01] R[00 fa]',
      '49 W[01 00 fb]',
      '49 W[01] R[00 fb]',
      '49 W[01 00 f3]',
      '49 W[0b 0f f0]',
    ])
    expect(leds.state).toEqual({ A: 0, B: 0, C: 30, D: 100 })
  })

  test.each([-0.1, 100.1, Number.NaN])('refuse %d % and write nothing', async (percent) => {
    const i2c = new ScriptedI2c()
    await expect(createPicoLeds(i2c, 0x2c).set('A', percent)).rejects.toMatchObject({ code: 'input.invalid' })
    expect(i2c.transactions).toEqual([])
  })
})

test('TMP-7: the heater board is read signed', async () => {
  expect(await readTemperatureC(new ScriptedI2c(['e700']), 0x4f)).toBe(-25)
})
