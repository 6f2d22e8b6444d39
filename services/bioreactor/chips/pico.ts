import type { I2cBus } from '../../transport/hardware.js'
import type { LedChannel, LedOutputs, PhotodiodeAdc } from '../board/board.js'
import { UnknownGain } from './ads111x.codec.js'
import { createLedState } from './led-state.js'
import {
  adcPointer,
  adcScale,
  decodeAdc,
  decodeFirmwareVersion,
  encodeLed,
  FIRMWARE_VERSION_POINTER,
  type FirmwareVersion,
  rawToVolts,
  voltsToRaw,
} from './pico.codec.js'

/** @throws NoDevice when the co-processor does not answer, as before its firmware is loaded. */
export async function readFirmwareVersion(i2c: I2cBus, address: number): Promise<FirmwareVersion> {
  return decodeFirmwareVersion(await i2c.writeRead(address, Uint8Array.of(FIRMWARE_VERSION_POINTER), 2))
}

/** One ADC input of the RP2040; asks once for the firmware version, on which the scaling depends. @throws NoDevice */
export async function openPicoInput(
  i2c: I2cBus,
  { address, channel }: { readonly address: number; readonly channel: number },
): Promise<PhotodiodeAdc> {
  const scale = adcScale(await readFirmwareVersion(i2c, address))
  return {
    kind: 'pico',
    gain: 1,
    gainFor: () => 1,
    async setGain(gain) {
      if (gain !== 1) throw new UnknownGain(`gain ${gain}: the RP2040 has only gain 1.`)
    },
    readRaw: async () => decodeAdc(await i2c.writeRead(address, Uint8Array.of(adcPointer(channel)), 2)),
    toVolts: (raw) => rawToVolts(raw, scale),
    toRaw: (volts) => voltsToRaw(volts, scale),
  }
}

/** The LED drivers of HAT 1.1 and 1.2. */
export function createPicoLeds(i2c: I2cBus, address: number): LedOutputs {
  return createLedState((channel: LedChannel, percent) => i2c.write(address, encodeLed(channel, percent)))
}
