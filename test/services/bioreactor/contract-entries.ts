import { expect } from 'vitest'

/** What the unit API promises of each job and automation: `unit-api-behaviour` §4.2 and §4.3, entry by entry. Help texts are ours. */

type Option = readonly [name: string, long_flag: string, type: string, fallback: unknown, more?: object]

const option = ([name, long_flag, type, fallback, more = {}]: Option) => ({
  name,
  long_flag,
  help: expect.any(String) as unknown,
  required: false,
  multiple: false,
  default: fallback,
  type,
  ...more,
})

type Setting = readonly [datatype: string, unit?: string]
const of =
  (settable: boolean) =>
  ([datatype, unit]: Setting) => ({ datatype, settable, ...(unit === undefined ? {} : { unit }) })
const shown = (settings: Readonly<Record<string, Setting>>) =>
  Object.fromEntries(Object.entries(settings).map(([name, setting]) => [name, of(false)(setting)]))
const settable = (settings: Readonly<Record<string, Setting>>) =>
  Object.fromEntries(Object.entries(settings).map(([name, setting]) => [name, of(true)(setting)]))
const channels = (prefix: string, datatype: string) =>
  shown(Object.fromEntries([1, 2, 3, 4].map((channel) => [`${prefix}${channel}`, [datatype] as const])))

const STATE = { $state: { datatype: 'string', settable: true } }
const required = { required: true }

interface Entry {
  readonly options?: readonly Option[]
  readonly arguments?: readonly object[]
  /** Absent: it publishes nothing. */
  readonly settings?: object
}

const asked: Option = ['source_of_event', 'source-of-event', 'text', 'CLI']
const pump: Entry = {
  options: [
    ['ml', 'ml', 'float', null],
    ['duration', 'duration', 'float', null],
    ['continuously', 'continuously', 'boolean', false],
    asked,
  ],
}
const circulation: Entry = { options: [['duration', 'duration', 'float', null, required], asked] }

/** Options of an automation are its settable settings. */
const automation = (own: Readonly<Record<string, Setting>> = {}, common: object = {}): Entry => ({
  options: Object.entries(own).map(([name, [type]]) => [name, name.replaceAll('_', '-'), type, null]),
  settings: {
    ...shown({ automation_name: ['string'], latest_event: ['AutomationEvent'] }),
    ...common,
    ...settable(own),
  },
})
const temperature = shown({ temperature: ['Temperature', '℃'], heater_duty_cycle: ['float', '%'] })

const path = { name: 'filename', nargs: 1, required: true, type: 'path' }
const color = (name: string): Option => [name.toLowerCase(), name, 'float range', null]

const ENTRIES: Readonly<Record<string, Entry>> = {
  add_alt_media: pump,
  add_media: pump,
  backup_database: {
    options: [
      ['output', 'output', 'text', expect.stringMatching(/^\/.+\/storage\/pioreactor\.sqlite\.backup$/)],
      ['force', 'force', 'boolean', false],
      ['backup_to_workers', 'backup-to-workers', 'integer', null],
    ],
  },
  circulate_alt_media: circulation,
  circulate_media: circulation,
  'dosing_automation/chemostat': automation({ duration: ['float', 'min'], exchange_volume_ml: ['float', 'mL'] }),
  'dosing_automation/fed_batch': automation({ duration: ['float', 'min'], dosing_volume_ml: ['float', 'mL'] }),
  'dosing_automation/pid_morbidostat': automation({
    duration: ['float', 'min'],
    target_normalized_od: ['float', 'AU'],
    target_growth_rate: ['float', 'h⁻¹'],
  }),
  'dosing_automation/silent': automation(),
  'dosing_automation/turbidostat': automation({
    exchange_volume_ml: ['float', 'mL'],
    target_biomass: ['float', 'OD/AU'],
    biomass_signal: ['string'],
  }),
  experiment_profile: {},
  'experiment_profile execute': {
    arguments: [path, { name: 'experiment', nargs: 1, required: true, type: 'text' }],
    options: [['dry_run', 'dry-run', 'boolean', false]],
  },
  'experiment_profile verify': { arguments: [path] },
  export_experiment_data: {
    options: [
      ['experiment', 'experiment', 'text', null, required],
      ['output', 'output', 'text', './output.zip'],
      ['partition_by_unit', 'partition-by-unit', 'boolean', false],
      ['partition_by_experiment', 'partition-by-experiment', 'boolean', false],
      ['dataset_name', 'dataset-name', 'text', [], { multiple: true }],
      ['start_time', 'start-time', 'text', null],
      ['end_time', 'end-time', 'text', null],
    ],
  },
  growth_rate_calculating: { settings: shown({ growth_rate: ['GrowthRate', 'h⁻¹'], od_filtered: ['ODFiltered'] }) },
  'growth_rate_calculating clear_cache': {},
  'led_automation/light_dark_cycle': automation({
    light_intensity: ['float', '%'],
    light_duration_minutes: ['float', 'min'],
    dark_duration_minutes: ['float', 'min'],
  }),
  'led_automation/silent': automation(),
  led_intensity: { options: [...['A', 'B', 'C', 'D'].map(color), asked, ['no_log', 'no-log', 'boolean', false]] },
  monitor: {
    settings: {
      ...shown({
        computer_statistics: ['json'],
        button_down: ['boolean'],
        voltage_on_pwm_rail: ['Voltage'],
        ipv4: ['string'],
        wlan_mac_address: ['string'],
        eth_mac_address: ['string'],
      }),
      ...settable({ versions: ['json'] }),
    },
  },
  mqtt_to_db_streaming: { settings: {} },
  od_blank: { options: [['n_samples', 'n-samples', 'integer', 30]] },
  'od_blank delete': { options: [['experiment', 'experiment', 'text', null]] },
  od_reading: {
    options: [
      ['fake_data', 'fake-data', 'boolean', false],
      ['interval', 'interval', 'float', null],
      ['ir_led_intensity', 'ir-led-intensity', 'float', null],
      ['snapshot', 'snapshot', 'boolean', false],
    ],
    settings: {
      ...shown({
        first_od_obs_time: ['float'],
        relative_intensity_of_ir_led: ['json'],
        ods: ['ODReadings'],
        od_fused: ['ODFused'],
      }),
      ...channels('od', 'ODReading'),
      ...channels('raw_od', 'RawODReading'),
      ...channels('calibrated_od', 'CalibratedODReading'),
      ...settable({ ir_led_intensity: ['float', '%'], interval: ['float', 's'] }),
    },
  },
  pumps: { arguments: [{ name: 'pump_script', nargs: -1, required: false, type: 'text' }] },
  remove_waste: pump,
  self_test: {
    options: [
      ['k', 'k', 'text', null],
      ['retry_failed', 'retry-failed', 'text', null],
    ],
  },
  stirring: {
    options: [
      ['target_rpm', 'target-rpm', 'float range', null],
      ['use_rpm', 'use-rpm', 'boolean', null],
      ['duty_cycle', 'duty-cycle', 'float range', null],
      ['target_rpm_during_od_reading', 'target-rpm-during-od-reading', 'float', null],
      ['target_rpm_outside_od_reading', 'target-rpm-outside-od-reading', 'float', null],
      ['enable_dodging_od', 'enable-dodging-od', 'boolean', null],
      ['measure_rpm_only', 'measure-rpm-only', 'boolean', false],
    ],
    settings: {
      ...shown({ currently_dodging_od: ['boolean'], measured_rpm: ['MeasuredRPM', 'RPM'] }),
      ...settable({
        enable_dodging_od: ['boolean'],
        target_rpm: ['float', 'RPM'],
        duty_cycle: ['float', '%'],
        target_rpm_during_od_reading: ['float', 'RPM'],
        target_rpm_outside_od_reading: ['float', 'RPM'],
      }),
    },
  },
  'temperature_automation/only_record_temperature': automation({}, temperature),
  'temperature_automation/thermostat': automation({ target_temperature: ['float', '℃'] }, temperature),
}

const byName = (one: { readonly name: string }, other: { readonly name: string }): number =>
  one.name < other.name ? -1 : 1

/** Key of a job, `<name>` or `<name>/<automation>`, → what is to be announced of it; options by name. */
export const contractEntries = Object.entries(ENTRIES).map(
  ([key, { options = [], arguments: args = [], settings }]) => {
    const [job_name, automation_name] = key.split('/')
    return [
      key,
      {
        job_name,
        ...(automation_name === undefined ? {} : { automation_name }),
        help: expect.any(String) as unknown,
        arguments: args,
        options: options.map(option).sort(byName),
        published_settings: settings === undefined ? {} : { ...settings, ...STATE },
      },
    ] as const
  },
)

export const sortedByName = <T extends { readonly name: string }>(list: readonly T[]): readonly T[] =>
  [...list].sort(byName)
