import { type Static, Type } from '@sinclair/typebox'
import { DAC43608_ADDRESS } from '../chips/dac43608.codec.js'
import { PICO_ADDRESS } from '../chips/pico.codec.js'
import type { PhotodiodeAdc, PwmChannel } from './board.js'

/** How the boards and vessels are wired, as the Pioreactor image ships it. Files of the unit may override it. */

const Address = Type.Integer({ minimum: 0x08, maximum: 0x77 })
const Pin = Type.Integer({ minimum: 0, maximum: 27 })

const AdcInput = Type.Object({
  driver: Type.Unsafe<PhotodiodeAdc['kind']>({ enum: ['ads1115', 'ads1114', 'pico'] }),
  address: Address,
  channel: Type.Integer({ minimum: 0, maximum: 3 }),
})
export type AdcInput = Static<typeof AdcInput>

const HeaterChannel = Type.Unsafe<PwmChannel>({ enum: ['1', '2', '3', '4', '5'] })

/** The five subsystems of a profile; keys are spelled as in the unit's YAML files, which may add others.
 * ADC inputs: `pd1`–`pd4` photodiodes, `aux` the PWM rail, `version` the device that answers for the firmware. */
export const ProfileTables = Type.Object({
  pwm: Type.Object({
    heater_pwm_channel: HeaterChannel,
    pwm_to_pin: Type.Object({ '1': Pin, '2': Pin, '3': Pin, '4': Pin, '5': Pin }),
  }),
  adc: Type.Record(Type.String(), AdcInput),
  dac: Type.Object({ address: Address }),
  temp: Type.Object({ address: Address }),
  gpio: Type.Object({
    pcb_led_pin: Pin,
    pcb_button_pin: Pin,
    hall_sensor_pin: Pin,
    sda_pin: Pin,
    scl_pin: Pin,
  }),
})
export type ProfileTables = Static<typeof ProfileTables>

const pico = (channel: number): AdcInput => ({ driver: 'pico', address: PICO_ADDRESS, channel })
const ads1115 = (channel: number): AdcInput => ({ driver: 'ads1115', address: 0x48, channel })
const ads1114 = (address: number): AdcInput => ({ driver: 'ads1114', address, channel: 0 })

const everyHat: Pick<ProfileTables, 'pwm' | 'temp'> = {
  pwm: { heater_pwm_channel: '5', pwm_to_pin: { '1': 17, '2': 13, '3': 16, '4': 12, '5': 18 } },
  temp: { address: 0x4f },
}
const withCoprocessor: ProfileTables = {
  ...everyHat,
  adc: { version: pico(0), aux: pico(1), pd1: pico(2), pd2: pico(3) },
  dac: { address: PICO_ADDRESS },
  gpio: { pcb_led_pin: 23, pcb_button_pin: 4, hall_sensor_pin: 21, sda_pin: 2, scl_pin: 3 },
}

/** Wiring of each HAT, by version text. */
export const hatTables: Readonly<Record<string, ProfileTables>> = {
  '1.0': {
    ...everyHat,
    adc: { pd1: ads1115(1), pd2: ads1115(0), aux: ads1115(3), version: ads1115(2) },
    dac: { address: DAC43608_ADDRESS },
    gpio: { pcb_led_pin: 23, pcb_button_pin: 24, hall_sensor_pin: 25, sda_pin: 2, scl_pin: 3 },
  },
  '1.1': withCoprocessor,
  '1.2': withCoprocessor,
}

const Name = Type.String({ pattern: '^[A-Za-z0-9_-][A-Za-z0-9_.-]*$' })
const Positive = Type.Number({ exclusiveMinimum: 0 })

/** A vessel. Volumes in ml, diameter in mm, temperatures in °C. */
export const BioreactorModel = Type.Object({
  model_name: Name,
  model_version: Name,
  display_name: Type.String({ minLength: 1 }),
  reactor_capacity_ml: Positive,
  reactor_max_fill_volume_ml: Positive,
  reactor_diameter_mm: Positive,
  max_temp_to_reduce_heating: Type.Number(),
  max_temp_to_disable_heating: Type.Number(),
  max_temp_to_shutdown: Type.Number(),
  is_legacy: Type.Boolean(),
  is_contrib: Type.Boolean(),
})
export type BioreactorModel = Readonly<Static<typeof BioreactorModel>>

const model = (size: 20 | 40, version: string, legacy: boolean, variant: '' | '_XR' = ''): BioreactorModel => ({
  model_name: `pioreactor_${size}ml${variant}`,
  model_version: version,
  display_name: `Pioreactor ${size}ml${variant.replace('_', ' ')}, v${version}`,
  reactor_capacity_ml: size,
  reactor_max_fill_volume_ml: size === 40 ? 36 : 18,
  reactor_diameter_mm: 27,
  max_temp_to_reduce_heating: 78,
  max_temp_to_disable_heating: 80,
  max_temp_to_shutdown: 85,
  is_legacy: legacy,
  is_contrib: false,
})

/** The models Pioreactor sells, in its listing order. */
export const builtInModels: readonly BioreactorModel[] = [
  model(40, '1.5', false),
  model(40, '1.0', true),
  model(20, '1.1', true),
  {
    ...model(20, '1.0', true),
    max_temp_to_reduce_heating: 63,
    max_temp_to_disable_heating: 65,
    max_temp_to_shutdown: 66,
  },
  model(20, '1.5', false),
  model(40, '1.5', false, '_XR'),
  model(20, '1.5', false, '_XR'),
]

const optics15 = { pd1: ads1114(0x49), pd2: ads1114(0x4a) }
const opticsXr = { ...optics15, pd3: ads1114(0x4b), pd4: ads1114(0x48) }

/** ADC inputs that a model brings along, by `<name> <version>`; models before 1.5 use those of the HAT. */
export const modelAdcTables: Readonly<Record<string, ProfileTables['adc']>> = {
  'pioreactor_20ml 1.5': optics15,
  'pioreactor_40ml 1.5': optics15,
  'pioreactor_20ml_XR 1.5': opticsXr,
  'pioreactor_40ml_XR 1.5': opticsXr,
}
