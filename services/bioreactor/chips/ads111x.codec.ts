import { defineError } from '../../../events/core/errors.js'

export const UnknownGain = defineError('adc.unknown_gain', 'input', 'The converter has no such gain.')

/** ADS1114 and ADS1115: 16-bit delta-sigma converters with an 8-bit register pointer and big-endian registers (TI SBAS444).
 * Scaling divides by 32767, as Pioreactor 26.7 does, so that stored calibrations keep their meaning. */

export const CONVERSION_POINTER = 0x00
export const CONFIG_POINTER = 0x01

/** Both chips are run at 128 samples per second. */
export const CONVERSION_MS = 1000 / 128

/** Largest code; the reference scales by it rather than by 32768. */
const FULL_SCALE_CODE = 32767

/** Programmable gain and its full scale in V; the place in the list is the value of the PGA bits 11:9. */
const GAIN_STEPS = [
  { gain: 2 / 3, fullScaleV: 6.144 },
  { gain: 1, fullScaleV: 4.096 },
  { gain: 2, fullScaleV: 2.048 },
  { gain: 4, fullScaleV: 1.024 },
  { gain: 8, fullScaleV: 0.512 },
  { gain: 16, fullScaleV: 0.256 },
] as const

export const gains: readonly number[] = GAIN_STEPS.map(({ gain }) => gain)

const HIGHEST_GAIN = 16

/** @throws UnknownGain. */
function gainBits(gain: number): number {
  const bits = gains.indexOf(gain)
  if (bits < 0) throw new UnknownGain(`gain ${gain}: must be one of ${gains.join(', ')}.`)
  return bits
}

/** Full scale in V: readings lie between −full scale and +full scale.
 * @throws UnknownGain. */
export const fullScaleV = (gain: number): number => GAIN_STEPS[gainBits(gain)]?.fullScaleV ?? 0

/** Data rate 128/s (bits 7:5 = 4), comparator disabled (bits 4:0 = 00011). */
const RATE_AND_COMPARATOR = 0x0083
const START = 0x8000
const SINGLE_SHOT = 0x0100

/** ADS1115: start one conversion of input 0–3 against ground. */
export const singleShotWord = (channel: number, gain: number): number =>
  START | ((4 + channel) << 12) | (gainBits(gain) << 9) | SINGLE_SHOT | RATE_AND_COMPARATOR

/** ADS1114: convert continuously. */
export const continuousWord = (gain: number): number => (gainBits(gain) << 9) | RATE_AND_COMPARATOR

/** Fields of a configuration word; `channel` is null for the differential inputs. Bits 101–111 of the gain all mean 16. */
export function decodeConfig(word: number): {
  readonly start: boolean
  readonly channel: number | null
  readonly gain: number
  readonly continuous: boolean
} {
  const mux = (word >> 12) & 7
  return {
    start: (word & START) !== 0,
    channel: mux >= 4 ? mux - 4 : null,
    gain: gains[(word >> 9) & 7] ?? HIGHEST_GAIN,
    continuous: (word & SINGLE_SHOT) === 0,
  }
}

/** Write transaction that sets the configuration register. */
export const encodeConfigWrite = (word: number): Uint8Array => Uint8Array.of(CONFIG_POINTER, word >> 8, word & 0xff)

/** Whether the configuration register reports an idle converter (bit 15). */
export const isConverted = (config: Uint8Array): boolean => ((config[0] ?? 0) & 0x80) !== 0

/** Signed raw value of the conversion register. */
export const decodeConversion = (register: Uint8Array): number =>
  new DataView(register.buffer, register.byteOffset, 2).getInt16(0)

export function encodeConversion(raw: number): Uint8Array {
  const register = new Uint8Array(2)
  new DataView(register.buffer).setInt16(0, raw)
  return register
}

export const rawToVolts = (raw: number, gain: number): number => (raw / FULL_SCALE_CODE) * fullScaleV(gain)

/** Not truncated; `Math.trunc` of it is the code the converter would show. */
export const voltsToRaw = (volts: number, gain: number): number => (volts * FULL_SCALE_CODE) / fullScaleV(gain)

/** A gain is left for the next when the signal exceeds this share of its range. */
const TOLERANCE = 0.85

/** The lowest window reaches down to −1 V, nominal. */
const LOWEST_V = -1

/** The gain whose window (0.85 × nominal, lower bound inclusive) holds a voltage estimate; outside all windows the present one. */
export function chooseGain(volts: number, current: number): number {
  const step = GAIN_STEPS.find(({ fullScaleV: high }, index) => {
    const low = GAIN_STEPS[index + 1]?.fullScaleV ?? LOWEST_V
    return TOLERANCE * low <= volts && volts < TOLERANCE * high
  })
  return step?.gain ?? current
}
