import type { Clock } from '../../../events/ports.js'
import type { LedChannel } from '../../../services/bioreactor/board/board.js'
import {
  adcScale,
  decodePointer,
  encodeAdc,
  encodeFirmwareVersion,
  type FirmwareVersion,
  voltsToRaw,
} from '../../../services/bioreactor/chips/pico.codec.js'
import { type AnalogInput, clockOut, type VirtualChip } from './virtual-chip.js'

/** Firmware 0.5 samples the photodiodes in passes of about 10 ms, and keeps three quarters of the previous value. */
const PASS_MS = 10
const KEPT_PER_PASS = 0.75

/** The counter behind an LED level wraps at 256, so that 255 is not quite full. */
const LEVELS = 257

/** The RP2040 of HAT 1.1 and 1.2 with firmware 0.5. Inputs and LEDs are asked and told in volts and 0–1 of full light.
 * @param inputs ADC inputs 0–3; 2 and 3 are the filtered photodiodes. */
export function createVirtualPico(
  clock: Clock,
  inputs: ReadonlyMap<number, AnalogInput>,
  setLed: (channel: LedChannel, level: number, light: number) => void,
  firmware: FirmwareVersion = [0, 5],
): VirtualChip {
  const scale = adcScale(firmware)
  const filtered = new Map(
    [...inputs].filter(([channel]) => channel >= 2).map(([channel, input]) => [channel, filter(clock, input)]),
  )
  let pointer = 0

  const register = (): Uint8Array => {
    const target = decodePointer(pointer)
    if (target === null || 'led' in target) return Uint8Array.of(0xff, 0xff)
    if ('version' in target) return encodeFirmwareVersion(firmware)
    const volts = (filtered.get(target.adc)?.value ?? inputs.get(target.adc) ?? (() => 0))()
    return encodeAdc(Math.max(0, Math.trunc(voltsToRaw(volts, scale))))
  }

  return {
    write([first, ...levels]) {
      pointer = first ?? pointer
      const target = decodePointer(pointer)
      if (target === null || !('led' in target)) return
      for (const level of levels) {
        for (const input of filtered.values()) input.value()
        setLed(target.led, level, level / LEVELS)
      }
    },
    read: (length) => clockOut(register(), length),
  }
}

/** Exponential filter that catches up with the passes since it was last asked, at the input as it is now. */
function filter(clock: Clock, input: AnalogInput): { value(): number } {
  let value = input()
  let passesDone = Math.floor(clock.monotonicMs() / PASS_MS)
  return {
    value() {
      const passes = Math.floor(clock.monotonicMs() / PASS_MS)
      if (passes > passesDone) {
        const sample = input()
        value = sample + (value - sample) * KEPT_PER_PASS ** (passes - passesDone)
        passesDone = passes
      }
      return value
    },
  }
}
