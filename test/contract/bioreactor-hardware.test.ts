import { afterEach, describe, expect, test } from 'vitest'
import { createClock } from '../../clock.js'
import type { Hardware } from '../../services/transport/hardware.js'
import { orderBench } from '../../simulation/bench-control.js'
import { connectBench } from '../../simulation/connect-bench.js'
import { createInProcessHardware } from '../../simulation/in-process-hardware.js'
import { startBench } from '../../simulation/start-bench.js'
import { type BenchOutputs, VirtualBench } from '../../simulation/virtual-bench.js'
import { readOutputs } from '../support/bench-outputs.js'
import { eventually } from '../support/eventually.js'
import { silentLogger } from '../support/silent-logger.js'
import { temporaryDirectory } from '../support/temporary-directory.js'

interface Rig {
  readonly hardware: Hardware
  press(pressed: boolean): void | Promise<void>
  outputs(): BenchOutputs | Promise<BenchOutputs>
}

const PICO = 0x2c
const TMP1075 = 0x4f
const STIRRER_PIN = 17
const HALL_PIN = 21
const BUTTON_PIN = 4
const LED_PIN = 23

const endings: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const end of endings.splice(0).reverse()) await end()
})

async function inProcess(): Promise<Rig> {
  const bench = new VirtualBench({ clock: createClock(), seed: 1 })
  const stop = new AbortController()
  const moving = bench.run(stop.signal, 20)
  endings.push(async () => {
    stop.abort()
    await moving
  })
  return {
    hardware: createInProcessHardware(bench),
    outputs: () => bench.outputs,
    press: (pressed) => bench.lines.setButton(pressed),
  }
}

async function overSockets(): Promise<Rig> {
  const directory = temporaryDirectory()
  const bench = await startBench({ directory, clock: createClock(), seed: 1, logger: silentLogger, tickMs: 20 })
  endings.push(() => bench.stop())
  const hardware = await connectBench(directory)
  endings.push(() => hardware.close())
  return {
    hardware,
    outputs: () => readOutputs(directory),
    press: async (pressed) => void (await orderBench(directory, pressed ? 'press' : 'release')),
  }
}

describe.each([
  ['in process', inProcess],
  ['over sockets', overSockets],
])('hardware of a bench %s', (_, open) => {
  test('a register read is one transaction', async () => {
    const { hardware } = await open()
    expect(await hardware.i2c.writeRead(PICO, Uint8Array.of(0x08), 2)).toEqual(Uint8Array.of(5, 0))
  })

  test('nothing acknowledges an address without a chip', async () => {
    const { i2c } = (await open()).hardware
    expect(await i2c.isPresent(TMP1075)).toBe(true)
    expect(await i2c.isPresent(0x50)).toBe(false)
    await expect(i2c.writeRead(0x50, Uint8Array.of(0), 2)).rejects.toMatchObject({ code: 'hardware.no_device' })
    await expect(i2c.write(0x50, Uint8Array.of(0))).rejects.toMatchObject({ code: 'hardware.no_device' })
  })

  test('transactions issued together are answered each with its own bytes', async () => {
    const { i2c } = (await open()).hardware
    const answers = await Promise.all([
      i2c.writeRead(PICO, Uint8Array.of(0x08), 2),
      i2c.writeRead(TMP1075, Uint8Array.of(0x0f), 2),
      i2c.isPresent(0x50),
      i2c.writeRead(PICO, Uint8Array.of(0x08), 2),
    ])
    expect(answers).toEqual([Uint8Array.of(5, 0), Uint8Array.of(0x75, 0), false, Uint8Array.of(5, 0)])
  })

  test('an LED level that is written shows among the outputs', async () => {
    const { hardware, outputs } = await open()
    await hardware.i2c.write(PICO, Uint8Array.of(0, 0xcc))
    await eventually(async () => expect(await outputs()).toMatchObject({ leds: { A: 80, B: 0, C: 0, D: 0 } }))
  })

  test('a PWM output drives its pin until it is closed', async () => {
    const { hardware, outputs } = await open()
    const output = await hardware.pwm.open(STIRRER_PIN, 200)
    await output.setDutyCycle(30)
    const isDrivenAt = (percent: number): Promise<void> =>
      eventually(async () => expect((await outputs()).pwm[STIRRER_PIN]).toBe(percent))
    await isDrivenAt(30)
    await output.setDutyCycle(12.5)
    await isDrivenAt(12.5)
    await output.close()
    await isDrivenAt(0)
    await expect(output.setDutyCycle(30)).rejects.toMatchObject({ code: 'hardware.no_pwm' })
  })

  test('every pin of the board has a PWM output, and all go off together', async () => {
    const { hardware, outputs } = await open()
    for (const pin of [12, 13, 16, 17, 18]) await (await hardware.pwm.open(pin, 250)).setDutyCycle(40)
    const areAllAt = (percent: number): Promise<void> =>
      eventually(async () => expect(new Set(Object.values((await outputs()).pwm))).toEqual(new Set([percent])))
    await areAllAt(40)
    await hardware.pwm.allOff()
    await areAllAt(0)
    await expect(hardware.pwm.open(5, 250)).rejects.toMatchObject({ code: 'hardware.no_pwm' })
  })

  test('a turning stirrer gives falling edges, 0.12 s apart at 30 %', async () => {
    const { hardware } = await open()
    const times: number[] = []
    const end = await hardware.gpio.watchFalling(HALL_PIN, (timeS) => times.push(timeS))
    await (await hardware.pwm.open(STIRRER_PIN, 200)).setDutyCycle(30)
    // The motor is up to speed after some revolutions.
    await eventually(() => expect(times.length).toBeGreaterThanOrEqual(20))
    await end()
    const gaps = times.slice(-5).map((timeS, index, last) => timeS - (last[index - 1] ?? timeS - 0.12))
    for (const gap of gaps) expect(gap).toBeCloseTo(0.12, 2)
  })

  test('the button of the unit gives levels', async () => {
    const { hardware, press } = await open()
    const levels: boolean[] = []
    const end = await hardware.gpio.watchLevel(BUTTON_PIN, (high) => levels.push(high))
    expect(await hardware.gpio.consumerOf(BUTTON_PIN)).not.toBe('')
    await press(true)
    await eventually(() => expect(levels.at(-1)).toBe(true))
    await press(false)
    await eventually(() => expect(levels.at(-1)).toBe(false))
    await end()
    await eventually(async () => expect(await hardware.gpio.consumerOf(BUTTON_PIN)).toBe(''))
    expect(await hardware.gpio.consumerOf(99)).toBeNull()
  })

  test('the LED of the unit is driven until it is released', async () => {
    const { hardware, outputs } = await open()
    const led = await hardware.gpio.openOutput(LED_PIN)
    const isOn = (on: boolean): Promise<void> => eventually(async () => expect((await outputs()).status_led).toBe(on))
    await led.set(true)
    await isOn(true)
    await led.set(false)
    await isOn(false)
    await led.set(true)
    await led.close()
    await isOn(false)
  })

  test('the HAT and the vessel are told', async () => {
    const { hatVersion, model } = (await open()).hardware
    expect(hatVersion).toBe('1.2')
    expect(model).toEqual({ modelName: 'pioreactor_20ml', modelVersion: '1.1' })
  })
})
