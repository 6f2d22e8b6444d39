import type { RawODReading } from '../../../events/bioreactor/readings.js'
import { timestampOf } from '../../../events/core/timestamp.js'
import type { JobContext } from '../../jobs/job.js'
import { sleepS } from '../../runtime/repeat.js'
import { LED_CHANNELS, type LedChannel } from '../board/board.js'
import type { LedBoard, LedLevels } from '../board/led-board.js'
import { chooseIrIntensity, TUNING_INTENSITY } from '../control/auto-ir.js'
import type { IrReference } from './ir-reference.js'
import type { Photodiodes } from './od-optics.js'
import type { PhotodiodeSampler } from './photodiode-sampler.js'

export interface OdReaderOptions {
  readonly job: Pick<JobContext, 'clock' | 'emit' | 'log' | 'experiment'>
  readonly leds: LedBoard
  readonly sampler: PhotodiodeSampler
  readonly photodiodes: Photodiodes
  /** Null when no photodiode sees the LED itself. */
  readonly reference: IrReference | null
  readonly irChannel: LedChannel
  readonly othersOff: boolean
  /** From switching LEDs to sampling, s. */
  readonly settleS: number
  readonly blank: Readonly<Record<string, number>>
}

/** One reading of all signal channels, in their order. */
export interface OdBatch {
  readonly timestamp: string
  readonly raw: readonly RawODReading[]
  /** False when the reference jumped: the raw values then rest on its last calm level. */
  readonly stable: boolean
}

/** From IR settle to the tuning burst, s. */
const TUNING_SETTLE_S = 0.125

/** Reads optical density: light on, sample, light off. The IR LED is on inside `prepare` and `read` only. */
export class OdReader {
  readonly #options: OdReaderOptions

  constructor(options: OdReaderOptions) {
    this.#options = options
  }

  /** Dark offsets, gains and mains frequency. @param wanted IR intensity in %, or `auto` to have it chosen where one signal and a
   * reference allow that. @returns the intensity to read with. */
  async prepare(wanted: number | 'auto', stop: AbortSignal): Promise<number> {
    const { sampler, photodiodes, irChannel, job } = this.#options
    const intensity = wanted === 'auto' ? TUNING_INTENSITY : wanted
    const volts = await this.#withLeds({ A: 0, B: 0, C: 0, D: 0 }, async () => {
      await sampler.readDark(stop)
      await this.#options.leds.set({ [irChannel]: intensity }, job)
      await sleepS(job.clock, TUNING_SETTLE_S, stop)
      return sampler.tune(stop)
    })
    const [signal, ...more] = photodiodes.signals
    if (wanted !== 'auto' || photodiodes.reference === null || signal === undefined || more.length > 0) return intensity
    return chooseIrIntensity({
      signalV: volts.get(signal.channel) ?? 0,
      referenceV: volts.get(photodiodes.reference) ?? 0,
    })
  }

  /** @param penalty weight of the last reading. @throws LabError when it failed; the light is off then too. */
  async read(irIntensity: number, intervalS: number | null, penalty: number, stop: AbortSignal): Promise<OdBatch> {
    const { sampler, photodiodes, reference, irChannel, othersOff, settleS, blank, job } = this.#options
    const levels: LedLevels = { ...(othersOff ? { A: 0, B: 0, C: 0, D: 0 } : {}), [irChannel]: irIntensity }
    const volts = await this.#withLeds(levels, async () => {
      await sleepS(job.clock, settleS, stop)
      return sampler.read(penalty, stop)
    })
    const timestamp = timestampOf(job.clock.now())
    const stable =
      reference === null || photodiodes.reference === null
        ? true
        : await reference.update(volts.get(photodiodes.reference) ?? 0, irIntensity, intervalS)
    const raw = photodiodes.signals.map(({ channel, angle }): RawODReading => {
      const seen = volts.get(channel) ?? 0
      const relative = reference === null ? seen : reference.normalize(seen)
      const od = relative - (blank[channel] ?? 0)
      return { calibrated: 0, timestamp, angle, od, channel, ir_led_intensity: irIntensity }
    })
    return { timestamp, raw, stable }
  }

  /** Readings at another intensity have nothing in common with those before. */
  forget(): void {
    this.#options.sampler.forget()
    this.#options.reference?.reset()
  }

  /** Relative light of the IR LED; null when unknown. */
  get lightLevel(): number | null {
    return this.#options.reference?.level ?? null
  }

  /** How far readings have come from resting on the first one, 0 to 1; at once where no reference is followed. */
  get warmUp(): number {
    return this.#options.reference?.warmUp ?? 1
  }

  /** The IR LED dark, whatever was under way. */
  async darken(): Promise<void> {
    const { leds, irChannel, job } = this.#options
    if (leds.state[irChannel] !== 0) await leds.set({ [irChannel]: 0 }, job)
  }

  /** Keeps the others from changing LEDs, sets them, and works; then gives back what the others want, with the IR LED off. */
  async #withLeds<T>(levels: LedLevels, work: () => Promise<T>): Promise<T> {
    const { leds, irChannel, job } = this.#options
    const changed = LED_CHANNELS.filter((channel) => levels[channel] !== undefined)
    const lock = leds.lock(LED_CHANNELS.filter((channel) => channel !== irChannel))
    try {
      await leds.set(levels, job, undefined, lock)
      return await work()
    } finally {
      try {
        // Still locked: what another job wants from now on comes after this, not before.
        const wanted = { ...leds.wanted, [irChannel]: 0 }
        const restored = Object.fromEntries(changed.map((channel) => [channel, wanted[channel]]))
        await leds.set(restored, job, undefined, lock)
      } finally {
        leds.unlock(lock)
      }
    }
  }
}
