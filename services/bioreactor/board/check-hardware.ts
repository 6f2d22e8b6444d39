import { LabError } from '../../../events/core/errors.js'
import type { Clock } from '../../../events/ports.js'
import type { BoardHardware, I2cBus } from '../../transport/hardware.js'
import { overlayFor } from '../../transport/sysfs-pwm.codec.js'
import { decodeFirmwareVersion, FIRMWARE_VERSION_POINTER } from '../chips/pico.codec.js'
import { isRailLow, MAX_MOTOR_RAIL_V } from '../chips/rail-voltage.codec.js'
import { readTemperatureC } from '../chips/tmp1075.js'
import { type BoardDevice, devicesOf, hexAddress } from './devices.js'
import { type ProfileKey, readHardwareProfile } from './hardware-profile.js'
import type { ProfileTables } from './hardware-tables.js'
import { findModel, readModels } from './models.js'
import { type BioreactorOptions, openBioreactor, profileKeyOf } from './open-bioreactor.js'

/** One part that a unit should have. `missing`: something cannot work; `warning`: it works, but not as it should. */
export interface HardwareFinding {
  /** `HAT`, `I2C 0x2C`, `PWM 1 (GPIO 17)`, `GPIO 21`, `Supply`. */
  readonly part: string
  /** What it is for. */
  readonly expected: string
  readonly status: 'ok' | 'warning' | 'missing'
  readonly found: string
  /** What to do; absent when all is well. */
  readonly remediation?: string
}

type Verdict = Pick<HardwareFinding, 'status' | 'found' | 'remediation'>

const ok = (found: string): Verdict => ({ status: 'ok', found })
const missing = (found: string, remediation: string): Verdict => ({ status: 'missing', found, remediation })
const warning = (found: string, remediation: string): Verdict => ({ status: 'warning', found, remediation })

/** Runs one look; what it throws is a part that is missing, with the remedy of the error or the given one. */
async function look(
  part: string,
  expected: string,
  remediation: string,
  work: () => Promise<Verdict>,
): Promise<HardwareFinding> {
  const verdict = await work().catch((error: unknown) =>
    missing(
      error instanceof Error ? error.message : String(error),
      (error instanceof LabError ? error.remediation : undefined) ?? remediation,
    ),
  )
  return { part, expected, ...verdict }
}

export interface CheckOptions extends BioreactorOptions {
  /** Whether another process drives the unit: a conversion of ours would then spoil one of its own, where they share a converter. */
  readonly unitRuns?: boolean
}

/** Looks for every part that the unit's HAT and vessel need, and says what is missing and what to do about it. Moves and lights nothing, and may run
 * beside a working unit. */
export async function checkHardware(
  hardware: BoardHardware,
  options: CheckOptions,
  clock: Clock,
): Promise<readonly HardwareFinding[]> {
  const key = profileKeyOf(hardware, options)
  const hat = await look('HAT', 'identifies itself at boot', REMEDIES.hat, async () =>
    hardware.hatVersion == null
      ? missing(`no HAT identifies itself; ${key.hat} is assumed`, REMEDIES.hat)
      : ok(`version ${hardware.hatVersion}, serial number ${hardware.hatSerialNumber ?? 'unknown'}`),
  )
  let profile: ProfileTables | null = null
  const wiring = await look('Wiring', 'files and tables fit together', REMEDIES.wiring, async () => {
    const model = findModel((await readModels(options.dotPioreactor)).models, key.modelName, key.modelVersion)
    profile = await readHardwareProfile(options.dotPioreactor, key)
    return ok(`HAT ${key.hat}, ${model.display_name}`)
  })
  const tables = profile as ProfileTables | null
  if (tables === null) return [hat, wiring]
  return [
    hat,
    wiring,
    ...(await checkDevices(hardware.i2c, key, tables)),
    await checkSupply(hardware, options, tables, clock),
    ...(await checkPwm(hardware, tables)),
    ...(await checkLines(hardware, tables)),
  ]
}

const REMEDIES = {
  hat: 'Switch off, press the HAT onto all 40 pins, and start again: its EEPROM is read at boot.',
  wiring: 'Correct or remove the files below hardware/ and models/ of the configuration directory.',
  lines: 'Install the package gpiod (1.6 or later).',
  supply: 'Connect the supply of pumps and heater; check its plug and cable.',
  tooMuch: `Use a supply of at most ${MAX_MOTOR_RAIL_V} V.`,
} as const

const CHIPS: Readonly<Record<BoardDevice['chip'], { readonly name: string; readonly remedy: string }>> = {
  pico: {
    name: 'co-processor RP2040',
    remedy:
      'Press the HAT onto all pins, and load the firmware of its co-processor: the Pioreactor image does so at boot.',
  },
  ads1115: { name: 'converter ADS1115', remedy: 'Press the HAT onto all pins.' },
  dac43608: { name: 'LED driver DAC43608', remedy: 'Press the HAT onto all pins.' },
  ads1114: {
    name: 'converter ADS1114',
    remedy:
      'Check the cables of the photodiodes, and that the vessel assigned to the unit is the one that stands there.',
  },
  tmp1075: {
    name: 'thermometer TMP1075 on the heater board',
    remedy: 'Plug the heater board in; without it the unit neither heats nor measures the speed of stirring.',
  },
}

const checkDevices = (i2c: I2cBus, { hat }: ProfileKey, tables: ProfileTables): Promise<readonly HardwareFinding[]> =>
  Promise.all(
    devicesOf(hat, tables).map(({ address, chip, uses }) => {
      const { name, remedy } = CHIPS[chip]
      return look(`I2C ${hexAddress(address)}`, `${name}: ${uses.join(', ')}`, remedy, () =>
        identify(i2c, chip, address),
      )
    }),
  )

/** Register of the configuration of ADS1114, ADS1115 and DAC43608 alike. */
const CONFIGURATION = 0x01

/** A thermometer that is well is within this, °C. */
const ROOM = { min: -20, max: 100 } as const

async function identify(i2c: I2cBus, chip: BoardDevice['chip'], address: number): Promise<Verdict> {
  if (chip === 'pico') {
    const version = await i2c.writeRead(address, Uint8Array.of(FIRMWARE_VERSION_POINTER), 2)
    return ok(`firmware ${decodeFirmwareVersion(version).join('.')}`)
  }
  if (chip === 'tmp1075') {
    const celsius = await readTemperatureC(i2c, address)
    const found = `${celsius.toFixed(1)} °C`
    return celsius > ROOM.min && celsius < ROOM.max ? ok(found) : warning(found, 'Replace the heater board.')
  }
  await i2c.writeRead(address, Uint8Array.of(CONFIGURATION), 2)
  return ok('answers')
}

function checkSupply(
  hardware: BoardHardware,
  options: CheckOptions,
  { adc }: ProfileTables,
  clock: Clock,
): Promise<HardwareFinding> {
  return look('Supply', 'of heater, pumps and stirrer', REMEDIES.supply, async () => {
    if (options.unitRuns === true && adc['aux']?.driver === 'ads1115') {
      return ok('not measured while the unit runs: it shares its converter with the photodiodes')
    }
    const bioreactor = await openBioreactor(hardware, options, clock)
    const volts = await bioreactor.readRailVolts(0.05)
    const found = `${volts.toFixed(2)} V`
    if (isRailLow(volts, (await hardware.underVoltage?.()) ?? null)) return warning(found, REMEDIES.supply)
    return volts > MAX_MOTOR_RAIL_V ? warning(found, REMEDIES.tooMuch) : ok(found)
  })
}

async function checkPwm({ pwm }: BoardHardware, tables: ProfileTables): Promise<readonly HardwareFinding[]> {
  const states = pwm.list()
  return Promise.all(
    Object.entries(tables.pwm.pwm_to_pin).map(([channel, pin]) => {
      const isHeater = channel === tables.pwm.heater_pwm_channel
      const remedy = `Add ${overlayFor(pin)} to the boot configuration and start again.`
      return look(`PWM ${channel} (GPIO ${pin})`, isHeater ? 'heater' : 'stirrer or pump', remedy, async () => {
        const state = (await states).find((candidate) => candidate.pin === pin)
        if (state === undefined) return missing('the kernel offers no PWM on the pin', remedy)
        return ok(`${state.chip}, driven at ${state.dutyCycle.toFixed(1)} %`)
      })
    }),
  )
}

const LINES = [
  ['hall_sensor_pin', 'Hall sensor of the stirrer'],
  ['pcb_button_pin', 'button'],
  ['pcb_led_pin', 'LED of the unit'],
] as const

const checkLines = ({ gpio }: BoardHardware, tables: ProfileTables): Promise<readonly HardwareFinding[]> =>
  Promise.all(
    LINES.map(([key, expected]) => {
      const pin = tables.gpio[key]
      return look(`GPIO ${pin}`, expected, REMEDIES.lines, async () => {
        const user = await gpio.consumerOf(pin)
        if (user === null) return missing('the header has no such line', REMEDIES.wiring)
        return ok(user === '' ? 'free' : `in use by ${user}`)
      })
    }),
  )

/** Whether the photodiodes' converters of a vessel answer: what the unit API tells after a change of model. */
export type ModelFit = { readonly status: 'ok' } | { readonly status: 'skipped' | 'warning'; readonly reason: string }

/** @throws UnknownModel. Source: Pioreactor 26.7 `hardware/check`. */
export async function checkModelFit(
  hardware: BoardHardware,
  dotPioreactor: string,
  model: { readonly modelName: string; readonly modelVersion: string },
): Promise<ModelFit> {
  const { models } = await readModels(dotPioreactor)
  const { model_name: name, model_version: version } = findModel(models, model.modelName, model.modelVersion)
  const hat = hardware.hatVersion
  if (hat == null || !hat.startsWith('1.')) return { status: 'skipped', reason: 'The HAT is none of version 1.' }
  let tables: ProfileTables
  try {
    tables = await readHardwareProfile(dotPioreactor, { hat, ...model })
  } catch (error) {
    return { status: 'skipped', reason: error instanceof Error ? error.message : String(error) }
  }
  const addresses = [...new Set(Object.values(tables.adc).map(({ address }) => address))].sort((a, b) => a - b)
  if (addresses.length === 0) return { status: 'skipped', reason: `${name}, v${version} has no ADC addresses.` }
  const answered = await Promise.all(addresses.map((address) => hardware.i2c.isPresent(address)))
  const silent = addresses.filter((_, index) => answered[index] === false)
  if (silent.length === 0) return { status: 'ok' }
  return {
    status: 'warning',
    reason: `missing I2C devices at ${silent.map(hexAddress).join(', ')} for ${name}, v${version}`,
  }
}
