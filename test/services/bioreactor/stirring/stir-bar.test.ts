import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PwmLine } from '../../../../services/bioreactor/board/pwm-line.js'
import { StirBar } from '../../../../services/bioreactor/stirring/stir-bar.js'
import { FakeClock } from '../../../support/fake-clock.js'

/** What stirring can be asked for, by whom it may be: people, the control, the watch for a stalled bar, optical readings, a pause. */
type Order =
  | { readonly kind: 'set' | 'target' | 'follow'; readonly value: number }
  | { readonly kind: 'kick' | 'start' | 'halt' | 'wake' }

const order: fc.Arbitrary<Order> = fc.oneof(
  fc.record({ kind: fc.constant('set' as const), value: fc.integer({ min: 0, max: 90 }) }),
  fc.record({ kind: fc.constant('target' as const), value: fc.constantFrom(0, 100, 400, 800) }),
  fc.record({ kind: fc.constant('follow' as const), value: fc.constantFrom(0, 350, 900) }),
  fc.record({ kind: fc.constantFrom('kick' as const, 'start' as const, 'halt' as const, 'wake' as const) }),
)

/** The motor on a line whose writes take a while and may fail. */
function createBar(latencyMs: (write: number) => number, fails: (write: number) => boolean = () => false) {
  const clock = new FakeClock()
  const told: number[] = []
  let driven = 0
  let writes = 0
  const output = {
    pin: 17,
    async setDutyCycle(percent: number) {
      const write = writes++
      await clock.sleepUntil(clock.monotonicMs() + latencyMs(write))
      if (fails(write)) throw new Error('the write failed')
      driven = percent
    },
    close: async () => undefined,
  }
  const line = new PwmLine(output, clock, {}, { changed: () => undefined, cutOff: () => undefined })
  const bar = new StirBar({
    clock,
    line,
    lookup: (rpm) => rpm / 10,
    gains: { Kp: 0.005, Ki: 0, Kd: 0 },
    periodS: 23,
    initialDuty: 30,
    targetRpm: 500,
    onDuty: (duty) => told.push(duty),
  })
  const obey = async (given: Order): Promise<void> => {
    if (given.kind === 'set') return bar.setDuty(given.value)
    if (given.kind === 'target') return bar.setTarget(given.value)
    if (given.kind === 'follow') return void (await bar.follow(given.value, clock.monotonicMs()))
    if (given.kind === 'kick') return bar.kick()
    if (given.kind === 'halt') return bar.halt()
    if (given.kind === 'wake') bar.wake()
    return bar.startMotion()
  }
  return { clock, told, obey, driven: () => driven }
}

test('whenever orders come, and however long a write takes, the line carries in the end what the last of them wanted', async () => {
  const orders = fc.array(fc.tuple(order, fc.integer({ min: 0, max: 900 })), { minLength: 1, maxLength: 12 })
  const latencies = fc.array(fc.constantFrom(0, 0, 1, 30, 400, 1200), { minLength: 1, maxLength: 8 })
  await fc.assert(
    fc.asyncProperty(orders, latencies, async (given, latency) => {
      const hurried = createBar((write) => latency[write % latency.length] ?? 0)
      const patient = createBar(() => 0)
      const done: Promise<void>[] = []
      for (const [what, pauseMs] of given) {
        done.push(hurried.obey(what))
        await hurried.clock.advance(pauseMs)
        const obeyed = patient.obey(what)
        await patient.clock.advance(5000)
        await obeyed
      }
      await hurried.clock.advance(60_000)
      await Promise.all(done)
      expect(hurried.driven()).toBeCloseTo(patient.driven(), 3)
      expect(hurried.told.at(-1) ?? 0).toBe(hurried.driven())
    }),
    { numRuns: 300 },
  )
})

test('whichever writes fail, the full power of a kick is not what remains', async () => {
  const orders = fc.array(fc.tuple(order, fc.integer({ min: 0, max: 900 })), { minLength: 1, maxLength: 8 })
  const failing = fc.uniqueArray(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 3 })
  await fc.assert(
    fc.asyncProperty(orders, failing, async (given, failed) => {
      const { clock, obey, driven } = createBar(
        () => 5,
        (write) => failed.includes(write),
      )
      const done: Promise<unknown>[] = []
      for (const [what, pauseMs] of given) {
        done.push(obey(what).catch(() => undefined))
        await clock.advance(pauseMs)
      }
      await clock.advance(60_000)
      await Promise.all(done)
      expect(driven()).toBeLessThan(100)
    }),
    { numRuns: 300 },
  )
})
