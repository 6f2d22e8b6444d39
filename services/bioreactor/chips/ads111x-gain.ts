import { chooseGain, fullScaleV, rawToVolts, voltsToRaw } from './ads111x.codec.js'

/** Gain and scaling, kept together so that a reading is never scaled by another gain than it was taken with. */
export class Ads111xGain {
  #gain = 1

  get gain(): number {
    return this.#gain
  }

  gainFor(volts: number): number {
    return chooseGain(volts, this.#gain)
  }

  /** @throws InvalidInput when the converter has no such gain. */
  async setGain(gain: number): Promise<void> {
    fullScaleV(gain)
    this.#gain = gain
  }

  toVolts(raw: number): number {
    return rawToVolts(raw, this.#gain)
  }

  toRaw(volts: number): number {
    return voltsToRaw(volts, this.#gain)
  }
}
