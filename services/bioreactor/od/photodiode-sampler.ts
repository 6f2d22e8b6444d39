import { defineError } from '../../../events/core/errors.js'
import type { Clock } from '../../../events/ports.js'
import { roundHalfEven } from '../../../primitives/round.js'
import { sleepS } from '../../runtime/repeat.js'
import type { PdChannel, PhotodiodeAdc } from '../board/board.js'
import { emaStep } from '../control/ema.js'
import {
  detectMainsHz,
  fitSine,
  meanWithPrior,
  type Prior,
  type Samples,
  trimExtremes,
} from '../control/mains-regression.js'

/** How samples are spread. Pauses follow the golden ratio, so that no mains period fits the pattern. */
interface Burst {
  readonly samples: number
  readonly spanS: number
}

const READING: Burst = { samples: 40, spanS: 0.85 }
const TUNING: Burst = { samples: 10, spanS: 0.25 }
/** The lowest and the highest sample of a reading do not count. */
const TRIMMED = 2
const GOLDEN = 0.618034

/** Above this the converter may come to harm, V. */
const OVER_RANGE_V = 3.2
const NEAR_LIMIT_V = 3.0
/** Weight of the past in the average that guards range and gain. */
const AVERAGE_ALPHA = 0.05

/** Share of a reading that is still the one before. @param penalty as `PhotodiodeSampler.read` takes it */
export const smoothingShare = (penalty: number): number =>
  (penalty * READING.samples) / (penalty * READING.samples + READING.samples - TRIMMED)

export interface PhotodiodeInput {
  readonly channel: PdChannel
  readonly adc: PhotodiodeAdc
}

export interface SamplerOptions {
  readonly clock: Clock
  readonly inputs: readonly PhotodiodeInput[]
  /** Mains frequency where it is configured, Hz; else it is found while tuning. */
  readonly mainsHz: number | null
  readonly useDarkOffsets: boolean
  /** Called when an average comes near the limit. */
  readonly onNearLimit: (channel: PdChannel, volts: number) => void
  readonly onUnsolvable: (channel: PdChannel) => void
}

interface Tracked extends PhotodiodeInput {
  darkV: number
  /** Last value; the next is pulled towards it. */
  lastV: number | null
  averageV: number | null
}

/** A photodiode sees more than its converter may get. */
export class OverRange extends defineError(
  'od.over_range',
  'hardware',
  'A photodiode gives more than its converter may be given, so the reading was stopped.',
) {
  constructor(channel: PdChannel, volts: number) {
    super(`Photodiode ${channel} is at ${volts.toFixed(3)} V; the limit is ${OVER_RANGE_V} V.`, {
      details: { channel, volts, limit: OVER_RANGE_V, unit: 'V' },
    })
  }
}

/** Voltages of all photodiodes, free of mains light, dark current and jitter. Source: Pioreactor 26.7 `ADCReader`. */
export class PhotodiodeSampler {
  readonly #options: SamplerOptions
  readonly #inputs: readonly Tracked[]
  #mainsHz: number | null

  constructor(options: SamplerOptions) {
    this.#options = options
    this.#mainsHz = options.mainsHz
    this.#inputs = options.inputs.map((input) => ({ ...input, darkV: 0, lastV: null, averageV: null }))
  }

  /** To be called in the dark: what is seen then is no light. */
  async readDark(stop: AbortSignal): Promise<void> {
    const bursts = await this.#burst(READING, stop)
    if (!this.#options.useDarkOffsets) return
    for (const input of this.#inputs) input.darkV = this.#estimate(input, bursts.get(input.channel), 0)
  }

  /** To be called in the light: chooses gains and finds the mains frequency. @returns V per channel. @throws OverRange */
  async tune(stop: AbortSignal): Promise<ReadonlyMap<PdChannel, number>> {
    for (const { adc } of this.#inputs) await adc.setGain(1)
    const bursts = await this.#burst(TUNING, stop)
    const [first] = this.#inputs
    if (this.#mainsHz === null && first !== undefined && first.adc.kind !== 'ads1114') {
      this.#mainsHz = detectMainsHz(bursts.get(first.channel) ?? { times: [], values: [] })
    }
    this.forget()
    const volts = new Map<PdChannel, number>()
    for (const input of this.#inputs) {
      const { values } = withoutDark(input, bursts.get(input.channel))
      const tuned = input.adc.toVolts(meanWithPrior(values))
      volts.set(input.channel, tuned)
      input.averageV = tuned
      await this.#guard(input)
    }
    return volts
  }

  /** The next reading stands alone, because the light is another. */
  forget(): void {
    for (const input of this.#inputs) input.lastV = null
  }

  /** One reading. @param penalty weight of the last reading relative to the samples. @returns V per channel, at least 0. @throws OverRange */
  async read(penalty: number, stop: AbortSignal): Promise<ReadonlyMap<PdChannel, number>> {
    const bursts = await this.#burst(READING, stop)
    const volts = new Map<PdChannel, number>()
    for (const input of this.#inputs) {
      const value = this.#estimate(input, bursts.get(input.channel), penalty * READING.samples)
      input.averageV = emaStep(input.averageV, value, AVERAGE_ALPHA)
      input.lastV = Math.max(value, 0)
      volts.set(input.channel, input.lastV)
      await this.#guard(input)
    }
    return volts
  }

  async #burst({ samples, spanS }: Burst, stop: AbortSignal): Promise<ReadonlyMap<PdChannel, Samples>> {
    const { clock } = this.#options
    const taken = this.#inputs.map((input) => ({ ...input, times: [] as number[], values: [] as number[] }))
    const startMs = clock.monotonicMs()
    for (let k = 0; k < samples; k++) {
      const begunMs = clock.monotonicMs()
      for (const { adc, times, values } of taken) {
        stop.throwIfAborted()
        times.push((clock.monotonicMs() - startMs) / 1000)
        values.push(await adc.readRaw())
      }
      const spentS = (clock.monotonicMs() - begunMs) / 1000
      const pauseS = (spanS / (samples - 1)) * ((GOLDEN * k) % 1) - spentS
      if (pauseS > 0) await sleepS(clock, pauseS, stop)
    }
    stop.throwIfAborted()
    return new Map(taken.map(({ channel, times, values }) => [channel, { times, values }]))
  }

  #estimate(input: Tracked, burst: Samples | undefined, priorWeight: number): number {
    const { adc, channel, lastV } = input
    const samples = trimExtremes(withoutDark(input, burst))
    const prior: Prior | undefined = lastV === null ? undefined : { value: adc.toRaw(lastV), weight: priorWeight }
    const byMean = adc.kind === 'ads1114' || this.#mainsHz === null
    const fit = byMean ? null : fitSine(samples, this.#mainsHz ?? 0, prior)
    if (fit === null && !byMean) this.#options.onUnsolvable(channel)
    const raw = fit?.constant ?? meanWithPrior(samples.values, byMean ? prior : undefined)
    return roundHalfEven(adc.toVolts(raw), 10)
  }

  async #guard({ channel, adc, averageV }: Tracked): Promise<void> {
    if (averageV === null) return
    if (averageV > OVER_RANGE_V) throw new OverRange(channel, averageV)
    if (averageV > NEAR_LIMIT_V) this.#options.onNearLimit(channel, averageV)
    const gain = adc.gainFor(averageV)
    if (gain !== adc.gain) await adc.setGain(gain)
  }
}

function withoutDark({ adc, darkV }: Tracked, burst: Samples | undefined): Samples {
  const dark = adc.toRaw(darkV)
  return { times: burst?.times ?? [], values: (burst?.values ?? []).map((raw) => Math.max(raw - dark, 0)) }
}
