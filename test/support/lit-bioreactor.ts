import type { Random } from '../../simulation/random.js'
import { FakeAdc, FakeBioreactor } from './fake-bioreactor.js'
import type { FakeClock } from './fake-clock.js'

const STIRRING_PIN = 17
/** Below this duty cycle static friction holds the bar, %. */
const STALL_DUTY = 10
const RPM_PER_PERCENT = 15
const STEP_MS = 20

/** A bioreactor whose photodiodes see the IR LED through a culture, with noise, and whose bar turns as it is driven. */
export class LitBioreactor extends FakeBioreactor {
  od = 0.1
  referenceGain = 1
  stalled = false
  readonly #random: Random
  #turns = 0

  constructor(random: Random) {
    super()
    this.#random = random
    const light = (): number => this.leds.state.A / 80
    this.adcs.set('1', new FakeAdc('ads1114', () => this.#seen(0.2 * light() * this.referenceGain)))
    this.adcs.set('2', new FakeAdc('ads1114', () => this.#seen(this.od * light())))
    this.adcs.set('3', new FakeAdc('pico', () => this.#seen(0.5 * this.od * light())))
  }

  /** Lets the clock run, with a falling edge of the Hall sensor at every revolution. */
  async turn(clock: FakeClock, ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= STEP_MS) {
      const duty = this.duty.get(STIRRING_PIN) ?? 0
      const rpm = this.stalled || duty < STALL_DUTY ? 0 : duty * RPM_PER_PERCENT
      const before = Math.floor(this.#turns)
      this.#turns += (rpm / 60_000) * STEP_MS
      await clock.advance(Math.min(STEP_MS, left))
      if (Math.floor(this.#turns) > before) this.edge(clock.monotonicMs() / 1000)
    }
  }

  /** Ambient light of 4 mV under 0.1 mV of noise. */
  #seen(volts: number): number {
    return 0.004 + volts + 1e-4 * this.#random.gaussian()
  }
}
