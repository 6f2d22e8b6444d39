import type { Clock } from '../../../events/ports.js'
import type { I2cBus } from '../../transport/hardware.js'
import type { PhotodiodeAdc } from '../board/board.js'
import {
  CONVERSION_MS,
  CONVERSION_POINTER,
  continuousWord,
  decodeConversion,
  encodeConfigWrite,
} from './ads111x.codec.js'
import { Ads111xGain } from './ads111x-gain.js'

/** Starts the continuous conversions (gain 1) of the ADS1114 behind one photodiode of the model 1.5 optics. @throws NoDevice */
export async function openAds1114(i2c: I2cBus, clock: Clock, address: number): Promise<PhotodiodeAdc> {
  const adc = new Ads1114(i2c, clock, address)
  await adc.setGain(1)
  return adc
}

class Ads1114 extends Ads111xGain implements PhotodiodeAdc {
  readonly kind = 'ads1114'
  readonly #i2c: I2cBus
  readonly #clock: Clock
  readonly #address: number
  /** A read before this time would repeat the last conversion, or return one of the previous gain. */
  #nextConversionMs = 0

  constructor(i2c: I2cBus, clock: Clock, address: number) {
    super()
    this.#i2c = i2c
    this.#clock = clock
    this.#address = address
  }

  override async setGain(gain: number): Promise<void> {
    await this.#i2c.write(this.#address, encodeConfigWrite(continuousWord(gain)))
    await super.setGain(gain)
    this.#paceNext()
  }

  /** @throws NoDevice */
  async readRaw(): Promise<number> {
    await this.#clock.sleepUntil(this.#nextConversionMs)
    const register = await this.#i2c.writeRead(this.#address, Uint8Array.of(CONVERSION_POINTER), 2)
    this.#paceNext()
    return decodeConversion(register)
  }

  #paceNext(): void {
    this.#nextConversionMs = this.#clock.monotonicMs() + CONVERSION_MS
  }
}
