import { devicesOf, hexAddress } from '../services/bioreactor/board/devices.js'
import { shippedWiring } from '../services/bioreactor/board/hardware-profile.js'
import { builtInModels, hatTables, type ProfileTables } from '../services/bioreactor/board/hardware-tables.js'
import { overlayFor, pwmRange } from '../services/transport/sysfs-pwm.codec.js'

/** The page of wirings, written from the tables that the drivers use. */
export function renderWiring(): string {
  const hats = Object.entries(hatTables)
  const versions = hats.map(([version]) => version)
  return [
    '# Wiring',
    '',
    'Written from the tables that the drivers use; pins are BCM numbers. [Hardware](hardware.md) tells how a unit overrides them.',
    '',
    '## GPIO lines',
    '',
    ...table(
      ['Line', ...versions.map((version) => `HAT ${version}`)],
      LINES.map(([key, name]) => [name, ...hats.map(([, { gpio }]) => String(gpio[key]))]),
    ),
    '',
    '## PWM channels',
    '',
    ...table(['Channel', 'Pin', 'Hz', 'Heater', 'Line of the boot configuration', 'HAT'], pwmRows(hats)),
    '',
    '## Chips on the I2C bus 1',
    '',
    'The names in parentheses are the keys of the wiring: `pd1`–`pd4` the photodiodes, `aux` the supply of heater, pumps and stirrer, `version` the',
    'firmware, `dac` the LEDs, `temp` the heater board.',
    '',
    ...table(['HAT', 'Vessel', 'Chips'], versions.flatMap(chipRows)),
    '',
    '## Vessels',
    '',
    ...table(
      ['Name', 'Version', 'Shown as', 'Holds, ml', 'Filled to, ml', 'Heating reduced, °C', 'off, °C', 'Shut down, °C'],
      builtInModels.map((model) => [
        `\`${model.model_name}\``,
        `\`${model.model_version}\``,
        model.display_name,
        String(model.reactor_capacity_ml),
        String(model.reactor_max_fill_volume_ml),
        String(model.max_temp_to_reduce_heating),
        String(model.max_temp_to_disable_heating),
        String(model.max_temp_to_shutdown),
      ]),
    ),
    '',
  ].join('\n')
}

const LINES = [
  ['hall_sensor_pin', 'Hall sensor'],
  ['pcb_button_pin', 'Button'],
  ['pcb_led_pin', 'LED of the unit'],
  ['sda_pin', 'I2C SDA'],
  ['scl_pin', 'I2C SCL'],
] as const

const table = (head: readonly string[], rows: readonly (readonly string[])[]): readonly string[] =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`)

/** Channels that are the same on several HATs share a row. */
function pwmRows(hats: readonly (readonly [version: string, tables: ProfileTables])[]): readonly (readonly string[])[] {
  const rows = new Map<string, { readonly cells: readonly string[]; readonly versions: string[] }>()
  for (const [version, { pwm }] of hats) {
    for (const [channel, pin] of Object.entries(pwm.pwm_to_pin)) {
      const { minHz, maxHz } = pwmRange(pin)
      const heats = channel === pwm.heater_pwm_channel ? 'yes' : ''
      const cells = [channel, String(pin), `${minHz}–${maxHz}`, heats, `\`${overlayFor(pin)}\``]
      const row = rows.get(cells.join()) ?? { cells, versions: [] }
      row.versions.push(version)
      rows.set(cells.join(), row)
    }
  }
  return [...rows.values()].map(({ cells, versions }) => [...cells, versions.join(', ')])
}

/** Vessels that need the same chips share a row; those that cannot stand on the HAT are left out. */
function chipRows(hat: string): readonly (readonly string[])[] {
  const vessels = new Map<string, string[]>()
  for (const model of builtInModels) {
    const key = { hat, modelName: model.model_name, modelVersion: model.model_version }
    const devices = devicesOf(hat, shippedWiring(key))
    if (new Set(devices.map(({ address }) => address)).size < devices.length) continue
    const chips = devices
      .map(({ address, chip, uses }) => `${chip} ${hexAddress(address)} (${uses.join(', ')})`)
      .join('; ')
    vessels.set(chips, [...(vessels.get(chips) ?? []), model.display_name.replace('Pioreactor ', '')])
  }
  return [...vessels].map(([chips, names]) => [hat, names.join('; '), chips])
}
