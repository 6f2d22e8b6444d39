import { expect, test } from 'vitest'
import { VirtualBench } from '../../simulation/virtual-bench.js'
import { FakeClock } from '../support/fake-clock.js'

const DAY_MS = 86_400_000
const HALL_PIN = 21
const STIRRER_PIN = 17

class CountingClock extends FakeClock {
  sleeps = 0

  override async sleepUntil(due: number, stop?: AbortSignal): Promise<void> {
    this.sleeps++
    await super.sleepUntil(due, stop)
  }
}

test('no timer runs until the stirrer turns and somebody watches it; then all edges come', async () => {
  const clock = new CountingClock()
  const bench = new VirtualBench({ clock, seed: 1 })
  const stop = new AbortController()
  const running = bench.run(stop.signal, 1000)
  await clock.advance(DAY_MS)
  const edges: number[] = []
  const end = bench.lines.watch(HALL_PIN, (_, timeS) => edges.push(timeS))
  await clock.advance(DAY_MS)
  expect(clock.sleeps).toBe(0)

  bench.setPwm(STIRRER_PIN, 30)
  await clock.advance(60_000)
  // 500 RPM, but for the start.
  expect(edges.length).toBeGreaterThan(480)
  expect(edges).toEqual([...edges].sort((one, other) => one - other))

  end()
  await clock.advance(2000)
  const { sleeps } = clock
  await clock.advance(DAY_MS)
  expect(clock.sleeps).toBe(sleeps)
  stop.abort()
  await running
})
