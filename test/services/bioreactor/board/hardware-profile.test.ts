import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { readHardwareProfile } from '../../../../services/bioreactor/board/hardware-profile.js'
import { builtInModels } from '../../../../services/bioreactor/board/hardware-tables.js'
import { temporaryDirectory } from '../../../support/temporary-directory.js'

const legacy = { hat: '1.2', modelName: 'pioreactor_20ml', modelVersion: '1.1' }

async function withFiles(files: Readonly<Record<string, string>>): Promise<string> {
  const dot = temporaryDirectory()
  for (const [path, text] of Object.entries(files)) {
    await mkdir(dirname(join(dot, 'hardware', path)), { recursive: true })
    await writeFile(join(dot, 'hardware', path), text)
  }
  return dot
}

test('without files the shipped wiring holds', async () => {
  const profile = await readHardwareProfile(await withFiles({}), legacy)
  expect(profile.adc['pd1']).toEqual({ driver: 'pico', address: 0x2c, channel: 2 })
  expect(profile.pwm).toEqual({ heater_pwm_channel: '5', pwm_to_pin: { '1': 17, '2': 13, '3': 16, '4': 12, '5': 18 } })
  expect(profile.gpio).toMatchObject({ hall_sensor_pin: 21, pcb_button_pin: 4 })
})

test.each([
  ['1.0', '1.1', 'pioreactor_20ml', { pd1: 0x48, pd2: 0x48, aux: 0x48, version: 0x48 }],
  ['1.2', '1.5', 'pioreactor_40ml', { pd1: 0x49, pd2: 0x4a, aux: 0x2c, version: 0x2c }],
  ['1.1', '1.5', 'pioreactor_20ml_XR', { pd1: 0x49, pd2: 0x4a, pd3: 0x4b, pd4: 0x48, aux: 0x2c, version: 0x2c }],
])(
  'HAT %s with model %s of %s reads its inputs at the shipped addresses',
  async (hat, modelVersion, modelName, addresses) => {
    const { adc } = await readHardwareProfile(await withFiles({}), { hat, modelName, modelVersion })
    expect(Object.fromEntries(Object.entries(adc).map(([name, { address }]) => [name, address]))).toEqual(addresses)
  },
)

test('files of the unit override single keys, the model after the HAT', async () => {
  const dot = await withFiles({
    'hats/1.2/adc.yaml': 'pd1: {driver: ADS1114, address: 0x48, channel: "0"}\npd2: {address: "0x2D"}\n',
    'hats/1.2/pwm.yaml': 'heater_pwm_channel: 4\ncontroller: hat_mcu\n',
    'models/pioreactor_20ml/1.1/adc.yaml': 'pd1: {address: 0x4B}\n',
  })
  const profile = await readHardwareProfile(dot, legacy)
  expect(profile.adc['pd1']).toEqual({ driver: 'ads1114', address: 0x4b, channel: 0 })
  expect(profile.adc['pd2']).toEqual({ driver: 'pico', address: 0x2d, channel: 3 })
  expect(profile.pwm).toMatchObject({ heater_pwm_channel: '4', pwm_to_pin: { '1': 17 } })
})

test.each([
  ['text that is not YAML', 'pd1: {driver: [', /adc.yaml is not YAML/],
  ['an unknown driver', 'pd1: {driver: ads1015, address: 0x48, channel: 0}', /driver is "ads1015"/],
  ['an address outside the bus', 'pd1: {address: 0x80}', /address is 128; it must be at most 119/],
])('%s is refused with its place', async (_, text, message) => {
  const dot = await withFiles({ 'hats/1.2/adc.yaml': text })
  await expect(readHardwareProfile(dot, legacy)).rejects.toMatchObject({ code: 'hardware.invalid_profile' })
  await expect(readHardwareProfile(dot, legacy)).rejects.toThrow(message)
})

test.each([
  [
    'chips of optics 1.5 at the addresses of HAT 1.0',
    { hat: '1.0', modelName: 'pioreactor_20ml_XR', modelVersion: '1.5' },
    {},
    /0x48 is the address of ads1115 \(aux, version\) and ads1114 \(pd4\).*0x49 is the address of ads1114 \(pd1\) and dac43608 \(dac\)/,
  ],
  [
    'two functions of a pin',
    legacy,
    { 'hats/1.2/gpio.yaml': 'pcb_button_pin: 21\n' },
    /GPIO 21 is named for pcb_button_pin and hall_sensor_pin; a pin has one function/,
  ],
  [
    'a second channel of a chip with one',
    legacy,
    { 'models/pioreactor_20ml/1.1/adc.yaml': 'pd1: {driver: ads1114, address: 0x48, channel: 1}\n' },
    /pd1: channel is 1; an ads1114 has channel 0 only/,
  ],
])('%s is refused', async (_, key, files, message) => {
  await expect(readHardwareProfile(await withFiles(files), key)).rejects.toThrow(message)
})

test('a HAT of which nothing is shipped is described by files of the unit, whole or not at all', async () => {
  const files = {
    'hats/1.3/pwm.yaml': 'heater_pwm_channel: "5"\npwm_to_pin: {"1": 17, "2": 13, "3": 16, "4": 12, "5": 18}\n',
    'hats/1.3/adc.yaml': 'pd1: {driver: pico, address: 0x2D, channel: 2}\n',
    'hats/1.3/dac.yaml': 'address: 0x2D\n',
    'hats/1.3/temp.yaml': 'address: 0x4F\n',
    'hats/1.3/gpio.yaml': 'pcb_led_pin: 23\npcb_button_pin: 4\nhall_sensor_pin: 21\nsda_pin: 2\nscl_pin: 3\n',
  }
  const { adc, dac } = await readHardwareProfile(await withFiles(files), { ...legacy, hat: '1.3' })
  expect([adc['pd1']?.address, dac.address]).toEqual([0x2d, 0x2d])
  const { 'hats/1.3/temp.yaml': _, ...incomplete } = files
  await expect(readHardwareProfile(await withFiles(incomplete), { ...legacy, hat: '1.3' })).rejects.toThrow(/temp/)
})

test('an unknown HAT and a model that is no name are refused', async () => {
  const dot = await withFiles({})
  await expect(readHardwareProfile(dot, { ...legacy, hat: '2.0' })).rejects.toThrow(/HAT 2.0: known versions are/)
  await expect(readHardwareProfile(dot, { ...legacy, modelName: '../../etc' })).rejects.toThrow(
    /'..\/..\/etc': letters/,
  )
})

test('every vessel shuts down above the temperature at which it stops heating', () => {
  expect(builtInModels).toHaveLength(7)
  for (const model of builtInModels) {
    expect(model.max_temp_to_reduce_heating).toBeLessThan(model.max_temp_to_disable_heating)
    expect(model.max_temp_to_disable_heating).toBeLessThan(model.max_temp_to_shutdown)
    expect(model.reactor_max_fill_volume_ml).toBeLessThan(model.reactor_capacity_ml)
  }
})
