import { expect, test } from 'vitest'
import { openRpmSensor } from '../../../../services/bioreactor/stirring/rpm-sensor.js'
import { FakeBioreactor } from '../../../support/fake-bioreactor.js'
import { FakeClock } from '../../../support/fake-clock.js'

test.each([
  ['HALL-1', [0, 0.12, 0.24, 0.36], 500],
  ['HALL-2', [0, 0.1201, 0.2398, 0.3605, 0.4799], 500.1],
  ['HALL-3', [0], 0],
  ['no edge', [], 0],
])('%s: edges at %j s are %d RPM', async (_, times, rpm) => {
  const [clock, bioreactor] = [new FakeClock(), new FakeBioreactor()]
  const sensor = await openRpmSensor(bioreactor.gpio, bioreactor.board.hallPin, clock)
  // Before the window: not counted.
  bioreactor.edge(-0.5)
  const measured = sensor.measure(1, new AbortController().signal)
  for (const time of times) bioreactor.edge(time)
  await clock.advance(1000)
  expect(await measured).toBe(rpm)
})

test('edges of before that are heard of late belong to no speed of now', async () => {
  const [clock, bioreactor] = [new FakeClock(), new FakeBioreactor()]
  const sensor = await openRpmSensor(bioreactor.gpio, bioreactor.board.hallPin, clock)
  // The kernel counts from another beginning.
  const edge = (timeS: number): void => bioreactor.edge(5000 + timeS)
  await clock.advance(1000)
  for (const timeS of [0, 0.5, 1]) edge(timeS)
  await clock.advance(3000)
  const measured = sensor.measure(1, new AbortController().signal)
  // It spun up meanwhile.
  for (const timeS of [2, 3, 3.5, 3.8]) edge(timeS)
  for (let tenth = 1; tenth < 10; tenth++) {
    await clock.advance(100)
    edge(4 + tenth / 10)
  }
  await clock.advance(100)
  expect(await measured).toBe(600)
  expect(sensor.revolutions).toBe(16)
})
