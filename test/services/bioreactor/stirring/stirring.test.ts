import { afterEach, describe, expect, test } from 'vitest'
import { stopJobsCommand } from '../../../../events/system/commands.js'
import { turnRotor } from '../../../../simulation/bioreactor/stirrer.js'
import { createRandom } from '../../../../simulation/random.js'
import { type BioreactorLab, startBioreactorLab } from '../../../support/bioreactor-lab.js'
import { FakeBioreactor } from '../../../support/fake-bioreactor.js'
import type { FakeClock } from '../../../support/fake-clock.js'
import { give } from '../../../support/give.js'
import { LitBioreactor } from '../../../support/lit-bioreactor.js'
import { MemoryBroker } from '../../../support/memory-bus.js'
import { startVialLab, type VialLab } from '../../../support/vial-lab.js'

let lab: BioreactorLab | undefined
afterEach(async () => {
  lab?.close()
  lab = undefined
})

const STIRRING_PIN = 17

test('publishes what a Pioreactor publishes from start to stop', async () => {
  lab = await startBioreactorLab()
  await lab.run('stirring', { target_rpm: '400' })
  await lab.clock.advance(10_000)
  await lab.set('stirring', 'target_rpm', '450')
  await lab.set('stirring', '$state', 'disconnected')

  const watched = ['$state', 'target_rpm', 'duty_cycle', 'measured_rpm', 'enable_dodging_od', 'currently_dodging_od']
  const sequence = lab.broker.published
    .filter(
      ({ topic }) =>
        watched.some((name) => topic === `pioreactor/u1/exp/stirring/${name}`) || topic.endsWith('pwms/dc'),
    )
    .map(({ topic, payload }) => `${topic.split('/').slice(3).join('/')} ${payload}`)
  expect(sequence[0]).toBe('stirring/$state init')
  expect(lab.published('stirring/$state')).toEqual(['init', 'ready', 'disconnected'])
  expect(lab.published('stirring/target_rpm')).toEqual(['400', '450', ''])
  expect(sequence.join('\n')).toMatch(
    /\$state init\npwms\/dc {}[\s\S]*target_rpm 400[\s\S]*duty_cycle 100[\s\S]*duty_cycle 30[\s\S]*\$state ready[\s\S]*measured_rpm {[\s\S]*target_rpm 450[\s\S]*\$state disconnected/,
  )
  const afterEnd = sequence.slice(sequence.indexOf('stirring/$state disconnected') + 1)
  expect(afterEnd.sort()).toEqual([
    'stirring/currently_dodging_od ',
    'stirring/duty_cycle ',
    'stirring/enable_dodging_od ',
    'stirring/measured_rpm ',
    'stirring/target_rpm ',
  ])
  expect(lab.bioreactor.duty.get(STIRRING_PIN) ?? 0).toBe(0)
})

test('the bar follows a new target and a stop although nothing that is said of it gets out', async () => {
  class Hanging extends MemoryBroker {
    hangs = false
    override connect(will?: { readonly topic: string; readonly payload: string }) {
      const bus = super.connect(will)
      const publish = bus.publish.bind(bus)
      bus.publish = (...args) => (this.hangs ? new Promise(() => undefined) : publish(...args))
      return bus
    }
  }
  const broker = new Hanging()
  const started = await startBioreactorLab({ broker })
  lab = started
  await started.run('stirring', { target_rpm: '400' })
  const duty = (): number => started.bioreactor.duty.get(STIRRING_PIN) ?? 0
  expect(duty()).toBe(30)
  const order = async (setting: string, text: string): Promise<void> => {
    broker.deliver(`pioreactor/u1/exp/stirring/${setting}/set`, Buffer.from(text), false)
    await started.clock.advance(10)
  }
  broker.hangs = true
  await order('duty_cycle', '42')
  expect(duty()).toBe(42)
  await order('target_rpm', '0')
  expect(duty()).toBe(0)
  await order('target_rpm', '500')
  expect(duty()).toBeGreaterThan(0)
  await order('$state', 'disconnected')
  expect(duty()).toBe(0)
  broker.hangs = false
})

test('a stop while a stalled bar is kicked switches the motor off at once', async () => {
  const started = await startBioreactorLab()
  lab = started
  await started.run('stirring', { target_rpm: '400' })
  const duty = (): number => started.bioreactor.duty.get(STIRRING_PIN) ?? 0
  for (let waited = 0; duty() < 100 && waited < 400; waited++) await started.clock.advance(50)
  expect(started.published('logs/app/warning').at(-1)).toContain('kicking')
  await give(started.service, stopJobsCommand, { job_name: 'stirring' }, 'stop')
  await started.clock.advance(0)
  expect(duty()).toBe(0)
})

describe('a bar that stalls', () => {
  let vial: VialLab | undefined
  afterEach(async () => {
    await vial?.end()
    vial = undefined
  })

  /** The bar of the virtual vial at its speed, right after its speed was controlled, with all that time until it is again. */
  async function startTurning(options: Record<string, unknown> = {}) {
    const started = await startVialLab()
    vial = started
    await started.run('stirring', { target_rpm: '500', ...options })
    await started.clock.advance(31_000)
    const count = (path: string): number => started.published(path).length
    expect(count('monitor/flicker_led_with_error_code')).toBe(0)
    return { ...started, count, hold: () => started.bench.setFault({ name: 'stirrer_stalled', where: '' }) }
  }

  test('is kicked and told within seconds, and turns again when nothing holds it any more', async () => {
    const { clock, bench, count, hold, published, set } = await startTurning()
    const measured = count('stirring/measured_rpm')
    hold()
    await clock.advance(6000)
    expect(published('logs/app/warning')).toEqual([expect.stringContaining('does not turn; kicking it')])
    expect(published('monitor/flicker_led_with_error_code')).toEqual(['4'])
    expect(count('stirring/measured_rpm')).toBe(measured)
    bench.clearFault()
    // A kick has begun already, or the next one comes soon.
    await clock.advance(12_000)
    expect(bench.truth.rpm).toBeGreaterThan(400)
    expect(published('logs/app/notice').at(-1)).toContain('turns again')
    await set('stirring', '$state', 'disconnected')
  })

  test('is kicked less and less often, is an error after three times, and gets no more than 60 %', async () => {
    const { clock, hold, published, count } = await startTurning()
    hold()
    await clock.advance(600_000)
    expect(count('logs/app/warning')).toBeGreaterThan(10)
    expect(count('logs/app/warning')).toBeLessThan(600 / 15)
    expect(published('logs/app/error')).toEqual([expect.stringContaining('stands still after 3 kicks')])
    const left = published('stirring/duty_cycle').map(Number)
    expect(Math.max(...left.filter((duty) => duty < 100))).toBe(60)
  })

  test('stands although it jerks: each jerk is an edge of the sensor', async () => {
    const bioreactor = new FakeBioreactor()
    const started = await startBioreactorLab({ bioreactor })
    lab = started
    await started.run('stirring', { target_rpm: '500' })
    const turn = async (seconds: number, everyMs: number): Promise<void> => {
      for (let passed = 0; passed < seconds * 1000; passed += everyMs) {
        await started.clock.advance(everyMs)
        bioreactor.edge(started.clock.monotonicMs() / 1000)
      }
    }
    await turn(10, 120)
    expect(started.published('logs/app/warning')).toEqual([])
    await turn(7, 1500)
    expect(started.published('logs/app/warning')).toHaveLength(1)
    // A bar that is merely slow is left to the control.
    await turn(60, 600)
    expect(started.published('logs/app/warning')).toHaveLength(1)
  })

  test('is not kicked when somebody has switched the motor off, nor while it sleeps', async () => {
    const { clock, set, count, bench } = await startTurning()
    await set('stirring', 'duty_cycle', '0')
    await clock.advance(15_000)
    await set('stirring', '$state', 'sleeping')
    await clock.advance(60_000)
    expect(count('monitor/flicker_led_with_error_code')).toBe(0)
    expect(bench.outputs.pwm[String(STIRRING_PIN)] ?? 0).toBe(0)
  })

  test('is kicked between readings too, and stirring goes on although kicks leave it no time', async () => {
    const { clock, hold, run, published, count, bench } = await startTurning({ enable_dodging_od: true })
    await run('od_reading', { interval: 8 })
    await clock.advance(20_000)
    hold()
    await clock.advance(120_000)
    expect(count('monitor/flicker_led_with_error_code')).toBeGreaterThan(3)
    bench.clearFault()
    await clock.advance(60_000)
    expect(published('stirring/$state').at(-1)).toBe('ready')
    expect(published('stirring/currently_dodging_od').at(-1)).toBe('True')
    const speeds = published('stirring/measured_rpm').map(
      (text) => (JSON.parse(text) as { measured_rpm: number }).measured_rpm,
    )
    expect(Math.max(...speeds.slice(-6))).toBeGreaterThan(400)
  })
})

describe('without a calibration', () => {
  /** Seconds from one measurement to the next. */
  const POLL_S = 23

  /** The twin's motor, with a falling edge of the Hall sensor at every revolution. */
  class Motor extends FakeBioreactor {
    stalled = false
    readonly #gain: number
    #rotor = { rpm: 0, revolutions: 0 }

    /** @param gain as a multiple of the stock motor's. */
    constructor(gain: number) {
      super()
      this.#gain = gain
    }

    async turn(clock: FakeClock, seconds: number): Promise<void> {
      for (let left = seconds * 1000; left > 0; left -= 20) {
        const before = Math.floor(this.#rotor.revolutions)
        const drive = { percent: this.duty.get(STIRRING_PIN) ?? 0, gain: this.#gain, stalled: this.stalled }
        this.#rotor = turnRotor(this.#rotor, drive, 0.02)
        await clock.advance(Math.min(20, left))
        if (Math.floor(this.#rotor.revolutions) > before) this.edge(clock.monotonicMs() / 1000)
      }
    }
  }

  async function startOn(gain: number) {
    const bioreactor = new Motor(gain)
    const started = await startBioreactorLab({ bioreactor })
    lab = started
    await started.begin('stirring', { target_rpm: '500' })
    await bioreactor.turn(started.clock, 3)
    return {
      bioreactor,
      turn: (seconds: number) => bioreactor.turn(started.clock, seconds),
      setTarget: (rpm: number) => started.set('stirring', 'target_rpm', String(rpm)),
      duty: () => bioreactor.duty.get(STIRRING_PIN) ?? 0,
      speeds: () =>
        started
          .published('stirring/measured_rpm')
          .map((text) => (JSON.parse(text) as { measured_rpm: number }).measured_rpm),
    }
  }

  test.each([0.5, 0.75, 1, 1.5, 2])('the speed arrives with a motor of %s times the stock gain', async (gain) => {
    const { turn, setTarget, speeds } = await startOn(gain)
    await turn(6)
    expect(speeds()).toHaveLength(1)
    for (const target of [500, 400, 700]) {
      if (target !== 500) await setTarget(target)
      const before = speeds().length
      await turn(5 * POLL_S)
      const since = speeds().slice(before)
      expect(since.length).toBeGreaterThanOrEqual(4)
      expect(Math.max(...since)).toBeLessThan(1.15 * target)
      for (const rpm of since.slice(2)) expect(Math.abs(rpm / target - 1)).toBeLessThan(0.1)
    }
  })

  test('a measurement during which the speed changed teaches nothing', async () => {
    const { turn, setTarget, duty, speeds } = await startOn(0.54)
    await turn(5)
    expect(duty()).toBeGreaterThan(50)
    const learnt = duty()
    // The window of the next measurement has begun.
    await turn(21.5)
    expect(speeds()).toHaveLength(1)
    await setTarget(300)
    const asked = duty()
    expect(asked / learnt).toBeCloseTo(0.6, 1)
    await turn(2)
    expect(speeds()).toHaveLength(2)
    expect(duty()).toBe(asked)
  })

  test('a bar that stands for a moment does not make the motor weak', async () => {
    const { bioreactor, turn, duty } = await startOn(1)
    await turn(6)
    const learnt = duty()
    bioreactor.stalled = true
    await turn(POLL_S + 3)
    bioreactor.stalled = false
    expect(duty()).toBeLessThan(learnt + 8)
  })

  test('the speed between optical readings arrives too', async () => {
    const bioreactor = new LitBioreactor(createRandom(1))
    const started = await startBioreactorLab({ bioreactor })
    lab = started
    const seconds = (count: number) => bioreactor.turn(started.clock, count * 1000)
    for (const [job, options] of [
      ['od_reading', { interval: 10 }],
      ['stirring', { duty_cycle: 18, enable_dodging_od: true, target_rpm_outside_od_reading: 450 }],
    ] as const) {
      const id = await started.begin(job, options)
      while (started.task(id)['status'] === 'running') await seconds(0.1)
    }
    await seconds(45)
    const outside = started
      .published('stirring/measured_rpm')
      .map((text) => (JSON.parse(text) as { measured_rpm: number }).measured_rpm)
      .filter((rpm) => rpm > 0)
    expect(outside[0]).toBeLessThan(300)
    expect(Math.abs((outside.at(-1) ?? 0) / 450 - 1)).toBeLessThan(0.1)
  })
})
