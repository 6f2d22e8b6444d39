import { afterEach, expect, test } from 'vitest'
import type { AutomationEvent } from '../../../../events/bioreactor/automations.js'
import { createRandom } from '../../../../simulation/random.js'
import { type BioreactorLab, startBioreactorLab } from '../../../support/bioreactor-lab.js'
import { LitBioreactor } from '../../../support/lit-bioreactor.js'

let lab: BioreactorLab
afterEach(async () => {
  const stopped = lab.service.stop()
  await lab.clock.advance(5000)
  await stopped
  lab.close()
})

const bioreactor = (): LitBioreactor => lab.bioreactor as LitBioreactor
const levels = (): readonly number[] => [bioreactor().leds.state.C, bioreactor().leds.state.D]
const minutes = (count: number): Promise<void> => lab.clock.advance(count * 60_000)
const set = (setting: string, text: string): Promise<void> => lab.set('led_automation', setting, text)
const events = (): string[] =>
  lab
    .published('led_automation/latest_event')
    .filter((text) => text !== '')
    .map((text) => (JSON.parse(text) as AutomationEvent).message ?? '')

async function start(options: Record<string, unknown> = {}): Promise<void> {
  lab = await startBioreactorLab({ bioreactor: new LitBioreactor(createRandom(1)) })
  const cycle = { light_intensity: 40, light_duration_minutes: 10, dark_duration_minutes: 5, ...options }
  expect(await lab.run('led_automation', { automation_name: 'light_dark_cycle', ...cycle })).toMatchObject({
    status: 'succeeded',
  })
}

test('begins with light, and changes at the minutes it is told, each time with an event', async () => {
  await start()
  expect(levels()).toEqual([40, 40])
  await minutes(9.9)
  expect(levels()).toEqual([40, 40])
  await minutes(0.2)
  expect(levels()).toEqual([0, 0])
  await minutes(5)
  expect(levels()).toEqual([40, 40])
  expect(events()).toEqual([
    'turned on LEDs C and D at 40 %',
    'turned off LEDs C and D',
    'turned on LEDs C and D at 40 %',
  ])
  expect(bioreactor().leds.state).toMatchObject({ A: 0, B: 0 })
})

test('follows its settings at once', async () => {
  await start()
  await minutes(2)
  await set('light_intensity', '70')
  expect(levels()).toEqual([70, 70])
  await set('light_duration_minutes', '1')
  expect(levels()).toEqual([0, 0])
  await set('dark_duration_minutes', '0')
  expect(levels()).toEqual([70, 70])
  await minutes(600)
  expect(levels()).toEqual([70, 70])
  await set('light_duration_minutes', '0')
  expect(levels()).toEqual([0, 0])
  await set('light_intensity', '100.5')
  expect(lab.published('led_automation/light_intensity')).toEqual(['40', '70'])
})

test('is dark in a pause and goes on after it with the phase that is due', async () => {
  await start()
  await minutes(1)
  await set('$state', 'sleeping')
  expect(levels()).toEqual([0, 0])
  await minutes(3)
  await set('$state', 'ready')
  expect(levels()).toEqual([40, 40])
  await set('$state', 'sleeping')
  await minutes(8)
  await set('$state', 'ready')
  expect(levels()).toEqual([0, 0])
  await minutes(4)
  expect(levels()).toEqual([40, 40])
})

test('its end leaves the LEDs dark', async () => {
  await start()
  await set('$state', 'disconnected')
  expect(levels()).toEqual([0, 0])
  await minutes(60)
  expect(levels()).toEqual([0, 0])
})

/** Writes take their time on a real bus, and everything can come between two of them. */
async function startOnSlowBus(): Promise<void> {
  await start()
  bioreactor().ledBus = () => lab.clock.sleepUntil(lab.clock.monotonicMs() + 4)
}

test('leaves no LED on, whenever it is stopped beside optical readings', async () => {
  await startOnSlowBus()
  const began = lab.begin('od_reading', { interval: 1.5 })
  await lab.clock.advance(5000)
  await began
  for (let offsetMs = 0; offsetMs < 1500; offsetMs += 7) {
    await lab.set('led_automation', '$state', 'ready')
    await lab.clock.advance(3000 + offsetMs)
    const order = lab.set('led_automation', '$state', 'sleeping')
    await lab.clock.advance(4000)
    await order
    expect(levels(), `asked to sleep after ${offsetMs} ms`).toEqual([0, 0])
  }
})

test('leaves no LED on, whenever it is stopped while it switches them on', async () => {
  await startOnSlowBus()
  for (let offsetMs = 0; offsetMs < 20; offsetMs++) {
    const wake = lab.set('led_automation', '$state', 'ready')
    await lab.clock.advance(offsetMs)
    const sleep = lab.set('led_automation', '$state', 'sleeping')
    await lab.clock.advance(1000)
    await Promise.all([wake, sleep])
    expect(levels(), `asked to sleep after ${offsetMs} ms`).toEqual([0, 0])
  }
})
