import { afterEach, expect, test } from 'vitest'
import { correctLog } from '../../../../cli/aftermath.js'
import { type DosingEvent, type LiquidAccount, PUMP_CALIBRATION } from '../../../../events/bioreactor/liquids.js'
import type { EventLogWriter } from '../../../../events/ports.js'
import { keepResult } from '../../../../services/runtime/safe-state-result.js'
import { type BioreactorLab, startBioreactorLab } from '../../../support/bioreactor-lab.js'
import { FakeClock } from '../../../support/fake-clock.js'
import { MemoryBroker } from '../../../support/memory-bus.js'
import { MemoryLog, type TestEvent } from '../../../support/memory-log.js'
import { pumpCalibration } from '../../../support/pump-calibration.js'
import { temporaryDirectory } from '../../../support/temporary-directory.js'

/** Remembers when it was told what, as the log does. */
class TimedBroker extends MemoryBroker {
  readonly recorded: TestEvent[] = []
  readonly #clock: FakeClock

  constructor(clock: FakeClock) {
    super()
    this.#clock = clock
  }

  override deliver(...[topic, payload, retain, qos]: Parameters<MemoryBroker['deliver']>): void {
    this.recorded.push({ topic, payload, retain, recordedAt: this.#clock.now().getTime() })
    super.deliver(topic, payload, retain, qos)
  }
}

const DOSES = 'pioreactor/u1/exp/dosing_events'
const ACCOUNT = 'system/u1/liquids/exp'

let lab: BioreactorLab
afterEach(async () => {
  await lab.service.stop()
  await lab.book.stop()
  lab.close()
})

/** Two pumps that overlap, one of them stopped, waste, and doses of others, one of which comes twice. */
async function record(): Promise<{ readonly events: readonly TestEvent[]; readonly clock: FakeClock }> {
  const clock = new FakeClock()
  const broker = new TimedBroker(clock)
  lab = await startBioreactorLab({ clock, broker })
  for (const pump of ['media', 'alt_media', 'waste']) lab.calibrations.set(`${pump}_pump`, pumpCalibration(pump, 1))
  const byHand = async (volume_change: number, source_of_event: string) => {
    const timestamp = clock.now().toISOString()
    const dose: DosingEvent = { volume_change, event: 'add_media', source_of_event, timestamp }
    await lab.context.bus.publish(DOSES, JSON.stringify(dose))
    return JSON.stringify(dose)
  }
  await lab.run('add_media', { ml: 1.2 })
  await lab.run('add_alt_media', { ml: 1 })
  await lab.clock.advance(250)
  await lab.set('add_alt_media', '$state', 'disconnected')
  await lab.clock.advance(1000)
  const told = await byHand(0.3, 'by hand')
  await lab.context.bus.publish(DOSES, told)
  await byHand(0.4, PUMP_CALIBRATION)
  await lab.clock.advance(10)
  await lab.run('remove_waste', { ml: 1 })
  await lab.clock.advance(2000)
  return { events: broker.recorded, clock }
}

/** What the log says after a kill right behind the event at `count`, as the next start finds and corrects it. */
async function afterKill(events: readonly TestEvent[], clock: FakeClock, count: number): Promise<MemoryLog> {
  const log = new MemoryLog(events.slice(0, count))
  const runDirectory = temporaryDirectory()
  // Guardian and safe-state needed 80 ms.
  const at = (log.events.at(-1)?.recordedAt ?? 0) + 80
  keepResult(runDirectory, { id: 'after-kill', at, safe: true, done: ['pwm', 'leds'], failed: [] })
  const append: EventLogWriter['append'] = async (added) => {
    const firstPosition = log.lastPosition() + 1
    log.append(...added.map(({ topic, payload, retain }) => ({ topic, payload, retain, recordedAt: at })))
    return { firstPosition, recordedAt: at }
  }
  const config = { unit: 'u1', runDirectory, home: runDirectory, simulationSpeed: 1 }
  const correct = () => correctLog(config, clock, { reader: log, writer: { append } })
  await correct()
  const corrected = log.lastPosition()
  await correct()
  expect(log.lastPosition()).toBe(corrected)
  return log
}

const dosesIn = (log: MemoryLog): readonly DosingEvent[] => {
  const texts = log.events.filter(({ topic }) => topic === DOSES).map(({ payload }) => Buffer.from(payload).toString())
  return [...new Set(texts)].map((text) => JSON.parse(text) as DosingEvent)
}
const movedIn = (log: MemoryLog, event: string): number =>
  dosesIn(log)
    .filter((dose) => dose.event === event && dose.source_of_event !== PUMP_CALIBRATION)
    .reduce((sum, { volume_change }) => sum + volume_change, 0)

test('wherever a kill comes, the account is the sum of the doses, and none is told twice', async () => {
  const { events, clock } = await record()
  const first = events.findIndex(({ topic }) => topic === ACCOUNT) + 1
  const doses = events.filter(({ topic }) => topic === DOSES).length
  expect(doses).toBeGreaterThan(8)
  let between = 0
  for (let count = first; count <= events.length; count++) {
    const log = await afterKill(events, clock, count)
    if (events[count - 1]?.topic === DOSES) between++
    const { liquid, pumping } = JSON.parse(
      Buffer.from(log.retained(ACCOUNT)[0]?.payload ?? []).toString(),
    ) as LiquidAccount
    const [media, altMedia, waste] = ['add_media', 'add_alt_media', 'remove_waste'].map((name) => movedIn(log, name))
    expect([count, pumping]).toEqual([count, []])
    expect([count, liquid.added_ml['media'] ?? 0]).toEqual([count, expect.closeTo(media ?? 0, 9)])
    expect([count, liquid.added_ml['alt_media'] ?? 0]).toEqual([count, expect.closeTo(altMedia ?? 0, 9)])
    expect([count, liquid.removed_ml]).toEqual([count, expect.closeTo(waste ?? 0, 9)])
    expect([count, liquid.volume_ml]).toEqual([
      count,
      expect.closeTo(15 + (media ?? 0) + (altMedia ?? 0) - (waste ?? 0), 9),
    ])
  }
  expect(between).toBe(doses)
  const whole = await afterKill(events, clock, events.length)
  expect(movedIn(whole, 'add_media')).toBeCloseTo(1.5, 9)
})
