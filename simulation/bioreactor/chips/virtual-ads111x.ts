import type { Clock } from '../../../events/ports.js'
import {
  CONFIG_POINTER,
  CONVERSION_MS,
  CONVERSION_POINTER,
  decodeConfig,
  encodeConversion,
  voltsToRaw,
} from '../../../services/bioreactor/chips/ads111x.codec.js'
import { type AnalogInput, clockOut, type VirtualChip } from './virtual-chip.js'

/** Power-on value of the configuration register (TI SBAS444). */
const POWER_ON_CONFIG = 0x8583

const BUSY_MASK = 0x7fff

/** ADS1115, and ADS1114 as its sibling with one input: the conversion register holds the last finished conversion, which
 * lags a change of configuration, as on the chip.
 * @param inputs By multiplexer channel; the ADS1114 has only 0. */
export function createVirtualAds111x(clock: Clock, inputs: ReadonlyMap<number, AnalogInput>): VirtualChip {
  let pointer = CONVERSION_POINTER
  let config = POWER_ON_CONFIG
  let conversion = 0
  /** When the running conversions began, and how many of them were taken over. */
  let startedMs: number | null = null
  let finished = 0

  const update = (): void => {
    if (startedMs === null) return
    const count = Math.floor((clock.monotonicMs() - startedMs) / CONVERSION_MS)
    if (count <= finished) return
    finished = count
    const { channel, gain, continuous } = decodeConfig(config)
    const volts = (inputs.get(channel ?? 0) ?? (() => 0))()
    conversion = Math.min(32767, Math.max(-32768, Math.trunc(voltsToRaw(volts, gain))))
    if (!continuous) startedMs = null
  }

  const configure = (word: number): void => {
    update()
    config = word
    const { start, continuous } = decodeConfig(word)
    startedMs = continuous || start ? clock.monotonicMs() : null
    finished = 0
  }

  return {
    write([first, high, low]) {
      pointer = first ?? pointer
      if (pointer === CONFIG_POINTER && high !== undefined && low !== undefined) configure((high << 8) | low)
    },
    read(length) {
      update()
      if (pointer === CONVERSION_POINTER) return clockOut(encodeConversion(conversion), length)
      if (pointer !== CONFIG_POINTER) return clockOut(new Uint8Array(2), length)
      const word = startedMs !== null ? config & BUSY_MASK : config | ~BUSY_MASK
      return clockOut(Uint8Array.of((word >> 8) & 0xff, word & 0xff), length)
    },
  }
}
