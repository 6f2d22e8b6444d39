import { defineError } from '../../../events/core/errors.js'
import type { Clock } from '../../../events/ports.js'
import { createSerialQueue } from '../../../primitives/serial-queue.js'
import type { BoardHardware } from '../../transport/hardware.js'
import { openAds1114 } from '../chips/ads1114.js'
import { Ads1115Input } from '../chips/ads1115.js'
import { createDac43608Leds } from '../chips/dac43608.js'
import { MLX90632_ADDRESS } from '../chips/mlx90632.codec.js'
import { openMlx90632 } from '../chips/mlx90632.js'
import { decodeFirmwareVersion, FIRMWARE_VERSION_POINTER } from '../chips/pico.codec.js'
import { createPicoLeds, openPicoInput } from '../chips/pico.js'
import { railVolts } from '../chips/rail-voltage.codec.js'
import { readTemperatureC } from '../chips/tmp1075.js'
import type { Bioreactor, LedOutputs, PhotodiodeAdc } from './board.js'
import { ledChip } from './devices.js'
import { type ProfileKey, readHardwareProfile } from './hardware-profile.js'
import type { AdcInput, ProfileTables } from './hardware-tables.js'
import { findModel, readModels } from './models.js'

const NoPhotodiode = defineError('hardware.no_photodiode', 'input', 'The model has no photodiode on the channel.')

/** What is assumed where no HAT says its version and no model is assigned. */
const DEFAULT_HAT = '1.2'
const DEFAULT_MODEL = { modelName: 'pioreactor_40ml', modelVersion: '1.5' }

export interface BioreactorOptions {
  readonly dotPioreactor: string
  /** HAT version such as `1.2`; by default the one the hardware reports. */
  readonly hat?: string
  /** By default the 40 ml model 1.5, as for a unit without an assigned model. */
  readonly model?: { readonly modelName: string; readonly modelVersion: string }
}

/** Which board and vessel a unit has, as far as options and hardware tell. */
export const profileKeyOf = (hardware: BoardHardware, { hat, model }: BioreactorOptions): ProfileKey => ({
  hat: hat ?? hardware.hatVersion ?? DEFAULT_HAT,
  ...(model ?? hardware.model ?? DEFAULT_MODEL),
})

/** The board's drivers for one HAT and model. Reads the wiring, touches no device.
 * @throws UnknownModel; InvalidProfile when the wiring is unknown or a file of the unit is wrong. */
export async function openBioreactor(
  hardware: BoardHardware,
  options: BioreactorOptions,
  clock: Clock,
): Promise<Bioreactor> {
  const key = profileKeyOf(hardware, options)
  const { models } = await readModels(options.dotPioreactor)
  const model = findModel(models, key.modelName, key.modelVersion)
  const profile = await readHardwareProfile(options.dotPioreactor, key)
  const { i2c } = hardware
  const open = createInputs(hardware, clock)
  return {
    model,
    board: {
      pwmPins: profile.pwm.pwm_to_pin,
      hallPin: profile.gpio.hall_sensor_pin,
      heaterPwmChannel: profile.pwm.heater_pwm_channel,
      statusLedPin: profile.gpio.pcb_led_pin,
      buttonPin: profile.gpio.pcb_button_pin,
    },
    pwm: hardware.pwm,
    gpio: hardware.gpio,
    leds: createLeds(hardware, key.hat, profile),
    openPhotodiode: async (channel) => open(inputOf(profile, `pd${channel}`, `Photodiode ${channel}`)),
    async readRailVolts(precision) {
      const adc = await open(inputOf(profile, 'aux', 'Auxiliary voltage'))
      return railVolts(adc.toVolts(await adc.readRaw()), precision)
    },
    readHeaterBoardC: () => readTemperatureC(i2c, profile.temp.address),
    openInfrared: () => openMlx90632(i2c, clock, MLX90632_ADDRESS),
    identity: {
      hat: options.hat ?? hardware.hatVersion ?? null,
      hatSerialNumber: hardware.hatSerialNumber ?? '',
      computer: hardware.computer ?? '',
    },
    async readFirmwareVersion() {
      const { driver, address } = profile.adc['version'] ?? {}
      if (driver !== 'pico' || address === undefined) return null
      const register = await i2c.writeRead(address, Uint8Array.of(FIRMWARE_VERSION_POINTER), 2)
      return decodeFirmwareVersion(register).join('.')
    },
    isUnderVoltage: async () => (await hardware.underVoltage?.()) ?? null,
    isHatPresent: async () => (options.hat ?? hardware.hatVersion ?? null) !== null,
    isHeaterBoardPresent: () => i2c.isPresent(profile.temp.address),
    powerOff: async () => hardware.powerOff?.(),
  }
}

const createLeds = ({ i2c }: BoardHardware, hat: string, { dac }: ProfileTables): LedOutputs =>
  ledChip(hat) === 'dac43608' ? createDac43608Leds(i2c, dac.address) : createPicoLeds(i2c, dac.address)

/** Opens analog inputs by their name in the wiring. */
function createInputs({ i2c }: BoardHardware, clock: Clock): (input: AdcInput) => Promise<PhotodiodeAdc> {
  const ads1115Queue = createSerialQueue()
  return async (input) => {
    switch (input.driver) {
      case 'ads1115':
        return new Ads1115Input(i2c, clock, input, ads1115Queue)
      case 'ads1114':
        return openAds1114(i2c, clock, input.address)
      case 'pico':
        return openPicoInput(i2c, input)
    }
  }
}

/** @throws NoPhotodiode */
function inputOf({ adc }: ProfileTables, name: string, missing: string): AdcInput {
  const input = adc[name]
  if (input !== undefined) return input
  const photodiodes = Object.keys(adc).filter((candidate) => candidate.startsWith('pd'))
  throw new NoPhotodiode(`${missing}: this model has ${photodiodes.join(', ')}.`)
}
