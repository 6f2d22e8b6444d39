import { describe, expect, test } from 'vitest'
import { watchButton } from '../../../../services/bioreactor/board/button.js'
import { errorCode, identify, StatusLed } from '../../../../services/bioreactor/board/status-led.js'
import { createInProcessHardware } from '../../../../simulation/in-process-hardware.js'
import { VirtualBench } from '../../../../simulation/virtual-bench.js'
import { FakeClock } from '../../../support/fake-clock.js'

const BUTTON = 4
const LED = 23

function rig() {
  const clock = new FakeClock()
  const bench = new VirtualBench({ clock, seed: 1 })
  return { clock, bench, gpio: createInProcessHardware(bench).gpio }
}

describe('the button', () => {
  test('is reported once for each press and release, although its contact bounces', async () => {
    const { clock, bench, gpio } = rig()
    const bounces: boolean[] = []
    const changes: boolean[] = []
    await gpio.watchLevel(BUTTON, (high) => bounces.push(high))
    const end = await watchButton(gpio, BUTTON, clock, (pressed) => changes.push(pressed))
    bench.lines.setButton(true)
    await clock.advance(300)
    bench.lines.setButton(false)
    await clock.advance(300)
    expect(bounces).toEqual([true, false, true, false, true, false])
    expect(changes).toEqual([true, false])
    await end()
    bench.lines.setButton(true)
    await clock.advance(300)
    expect(changes).toEqual([true, false])
  })

  test('that is touched for less than a contact bounces is not pressed', async () => {
    const { clock, bench, gpio } = rig()
    const changes: boolean[] = []
    await watchButton(gpio, BUTTON, clock, (pressed) => changes.push(pressed))
    bench.lines.setButton(true)
    await clock.advance(5)
    bench.lines.setButton(false)
    await clock.advance(300)
    expect(changes).toEqual([])
  })
})

describe('the LED of the unit', () => {
  /** Times in s at which it changes. */
  async function changesDuring(pattern: Parameters<StatusLed['blink']>[0]) {
    const { clock, bench, gpio } = rig()
    const led = new StatusLed(await gpio.openOutput(LED), clock)
    const changes: [number, boolean][] = []
    let last = false
    bench.onOutputs(({ status_led: on }) => {
      if (on !== last) changes.push([clock.monotonicMs() / 1000, on])
      last = on
    })
    const done = led.blink(pattern)
    await clock.advance(60_000)
    expect(await done).toBe(true)
    return changes
  }

  test('blinks an error code as often as it says', async () => {
    expect(await changesDuring(errorCode(2))).toEqual([
      [0, true],
      [2, false],
      [2.25, true],
      [2.5, false],
      [2.75, true],
      [3, false],
    ])
  })

  test('identifies the unit by four double flashes', async () => {
    const changes = await changesDuring(identify)
    expect(changes.filter(([, on]) => on)).toHaveLength(8)
    expect(changes.slice(0, 5).map(([time]) => Number(time.toFixed(3)))).toEqual([0, 0.14, 0.28, 0.42, 0.87])
  })

  test('shows one pattern at a time, the pause after a code included, and then what it was to show', async () => {
    const { clock, bench, gpio } = rig()
    const led = new StatusLed(await gpio.openOutput(LED), clock)
    const first = led.blink(errorCode(1))
    await clock.advance(3000)
    await led.set(true)
    expect(await led.blink(identify)).toBe(false)
    expect(bench.outputs.status_led).toBe(false)
    await clock.advance(5000)
    expect(await first).toBe(true)
    expect(bench.outputs.status_led).toBe(true)
    await led.set(false)
    expect(bench.outputs.status_led).toBe(false)
  })

  test('goes off when it is closed amid a pattern', async () => {
    const { clock, bench, gpio } = rig()
    const led = new StatusLed(await gpio.openOutput(LED), clock)
    const blinking = led.blink(errorCode(1))
    await clock.advance(500)
    expect(bench.outputs.status_led).toBe(true)
    await led.close()
    await blinking
    expect(bench.outputs.status_led).toBe(false)
  })
})
