import { defineError } from '../../../events/core/errors.js'
import type { Clock } from '../../../events/ports.js'
import type { SerialQueue } from '../../../primitives/serial-queue.js'
import type { I2cBus } from '../../transport/hardware.js'
import type { PhotodiodeAdc } from '../board/board.js'
import {
  CONFIG_POINTER,
  CONVERSION_MS,
  CONVERSION_POINTER,
  decodeConversion,
  encodeConfigWrite,
  isConverted,
  singleShotWord,
} from './ads111x.codec.js'
import { Ads111xGain } from './ads111x-gain.js'

/** How often the idle bit is asked for once a conversion is due, and how often at most: ten conversion times. */
const POLL_MS = 1
const MAX_POLLS = 80

export class NoConversion extends defineError(
  'adc.no_conversion',
  'hardware',
  'The converter does not finish a conversion.',
) {
  constructor(address: number) {
    super(`The converter at 0x${address.toString(16)} does not finish a conversion.`)
  }
}

/** One input of the ADS1115 of HAT 1.0, read by single conversions against ground. The inputs share the chip, so all of them
 * take their turn in one queue. */
export class Ads1115Input extends Ads111xGain implements PhotodiodeAdc {
  readonly kind = 'ads1115'
  readonly #i2c: I2cBus
  readonly #clock: Clock
  readonly #address: number
  readonly #channel: number
  readonly #serially: SerialQueue

  constructor(
    i2c: I2cBus,
    clock: Clock,
    input: { readonly address: number; readonly channel: number },
    serially: SerialQueue,
  ) {
    super()
    this.#i2c = i2c
    this.#clock = clock
    this.#address = input.address
    this.#channel = input.channel
    this.#serially = serially
  }

  /** @throws NoDevice; NoConversion when the chip stays busy. */
  readRaw(): Promise<number> {
    return this.#serially(async () => {
      await this.#i2c.write(this.#address, encodeConfigWrite(singleShotWord(this.#channel, this.gain)))
      await this.#clock.sleepUntil(this.#clock.monotonicMs() + CONVERSION_MS)
      for (let polls = 0; !isConverted(await this.#read(CONFIG_POINTER)); polls++) {
        if (polls === MAX_POLLS) throw new NoConversion(this.#address)
        await this.#clock.sleepUntil(this.#clock.monotonicMs() + POLL_MS)
      }
      return decodeConversion(await this.#read(CONVERSION_POINTER))
    })
  }

  #read(pointer: number): Promise<Uint8Array> {
    return this.#i2c.writeRead(this.#address, Uint8Array.of(pointer), 2)
  }
}
