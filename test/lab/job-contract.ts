import {
  anyAutomationEvent,
  anyOd,
  automationEvent,
  automationSettings,
  boolean,
  calibratedOd,
  datetime,
  dosingEvent,
  type Form,
  fields,
  float,
  is,
  isObject,
  json,
  ledChange,
  like,
  mapOf,
  nullOr,
  number,
  oneOf,
  pid,
  rawOd,
  text,
} from './payload-forms.js'

/** What each job, action and automation publishes and takes, written down from the tables of `bioreactor-jobs` §1.3.2, §1.3.3 and §1.4: nothing
 * here comes from our own declarations. */

/** A setting that can be set: to a value that is followed, and to values that are refused with what their refusal names. */
export interface Settable {
  readonly good: string
  /** By the bad payload: a part of the message that tells the limit, or what else is allowed. */
  readonly bad: Readonly<Record<string, string>>
  /** It takes part of a JSON object. */
  readonly partial?: true
}

/** No number, and no finite one. */
const noNumber = { fast: 'number', nan: 'number', inf: 'number', '1e999': 'finite', '': 'number' }
const numeric = (good: string, bad: Readonly<Record<string, string>>): Settable => ({
  good,
  bad: { ...noNumber, ...bad },
})

const rpm = (good: string) => numeric(good, { '-1': 'at least 0 RPM', '1501': 'at most 1500 RPM' })
const percent = (good: string) => numeric(good, { '-0.1': 'at least 0 %', '100.5': 'at most 100 %' })
const minutes = (good: string) => numeric(good, { '0': 'above 0 min', '-5': 'above 0 min' })
const millilitres = (good: string) => numeric(good, { '-0.1': 'at least 0 mL', '37': 'at most 36 mL' })

/** One entry of the capabilities. Topics are below `pioreactor/<unit>/<experiment>/`. */
export interface JobContract {
  readonly options?: Readonly<Record<string, string>>
  /** Sub-command, or arguments. */
  readonly args?: readonly string[]
  /** Retained, and cleared at the end; those of `settable` among them. */
  readonly settings?: Readonly<Record<string, Form>>
  readonly settable?: Readonly<Record<string, Settable>>
  /** Retained topics that stay. */
  readonly retained?: Readonly<Record<string, Form>>
  /** Not retained. */
  readonly streams?: Readonly<Record<string, Form>>
  /** What came when a setting was changed, or at the end; not retained. */
  readonly history?: Readonly<Record<string, Form>>
  /** What `latest_event` comes to tell. */
  readonly event?: Form
}

const automation = (kind: string, name: string, more: JobContract = {}): JobContract => ({
  ...more,
  options: { automation_name: name, ...more.options },
  settings: { automation_name: oneOf(name), latest_event: anyAutomationEvent, ...more.settings },
  history: { [`${kind}_automation/${kind}_automation_settings`]: automationSettings },
})
/** It does nothing, so it never has done something. */
const silent = (kind: string, more: JobContract = {}): JobContract => {
  const { settings: { latest_event: _, ...settings } = {}, ...contract } = automation(kind, 'silent', more)
  return { ...contract, settings }
}
const temperature = {
  temperature: json(fields({ timestamp: datetime, temperature: number })),
  heater_duty_cycle: float,
}
const bioreactor = {
  'bioreactor/current_volume_ml': float,
  'bioreactor/efflux_tube_volume_ml': float,
  'bioreactor/alt_media_fraction': float,
  'bioreactor/cumulative_media_added_ml': float,
  'bioreactor/cumulative_alt_media_added_ml': float,
  'bioreactor/cumulative_waste_removed_ml': float,
}
const doses = { dosing_events: dosingEvent }
const dosing = (name: string, more: JobContract) =>
  automation('dosing', name, { ...more, retained: bioreactor, streams: { ...doses, ...more.streams } })
const leds = {
  retained: { 'leds/intensity': json(fields({ A: number, B: number, C: number, D: number })) },
  streams: { led_change_events: ledChange },
}
/** §1.3.3: one space behind each colon and comma. */
const pwms = { 'pwms/dc': like(/^\{("\d+": [\d.]+(, (?!\}))?)*\}$/) }

/** Jobs that run until they are stopped, in an order in which each finds what it needs. */
export const jobs: Readonly<Record<string, JobContract>> = {
  od_reading: {
    settings: {
      first_od_obs_time: float,
      ir_led_intensity: float,
      interval: float,
      relative_intensity_of_ir_led: json(fields({ relative_intensity_of_ir_led: number, timestamp: datetime })),
      ods: json(fields({ timestamp: datetime, ods: mapOf(/^[234]$/, anyOd) })),
      od2: json(fields(calibratedOd)),
      raw_od2: json(fields(rawOd)),
      calibrated_od2: json(fields(calibratedOd)),
      od3: json(fields(rawOd)),
      od4: json(fields(rawOd)),
      od_fused: json(fields({ od_fused: number, timestamp: datetime })),
    },
    settable: {
      interval: numeric('3', { '0': 'above 0 s', '-1': 'above 0 s' }),
      // Another one than the calibration's is refused: see the test of it.
      ir_led_intensity: percent('80'),
    },
    retained: leds.retained,
  },
  stirring: {
    options: { target_rpm: '400' },
    settings: {
      target_rpm: float,
      measured_rpm: json(fields({ measured_rpm: number, timestamp: datetime })),
      duty_cycle: float,
      enable_dodging_od: boolean,
      currently_dodging_od: boolean,
      target_rpm_during_od_reading: float,
      target_rpm_outside_od_reading: float,
    },
    settable: {
      target_rpm: rpm('450'),
      duty_cycle: percent('31'),
      enable_dodging_od: { good: 'True', bad: { perhaps: 'boolean', nan: 'boolean', '': 'boolean' } },
      target_rpm_during_od_reading: rpm('100'),
      target_rpm_outside_od_reading: rpm('440'),
    },
    retained: pwms,
    streams: { 'pid_log/rpm': pid },
  },
  growth_rate_calculating: {
    settings: {
      growth_rate: json(fields({ growth_rate: number, timestamp: datetime })),
      od_filtered: json(fields({ od_filtered: number, timestamp: datetime })),
    },
  },
  'temperature_automation/only_record_temperature': automation('temperature', 'only_record_temperature', {
    settings: temperature,
  }),
  'temperature_automation/thermostat': automation('temperature', 'thermostat', {
    options: { target_temperature: '36' },
    settings: {
      ...temperature,
      target_temperature: float,
    },
    event: automationEvent('UpdatedHeaterDC', {
      current_dc: number,
      delta_dc: number,
      target_temperature: number,
      latest_temperature: number,
    }),
    settable: { target_temperature: numeric('37.5', { '-1': 'at least 0 ℃', '79': 'at most 78 ℃' }) },
    retained: pwms,
    streams: { 'pid_log/temperature': pid },
  }),
  'dosing_automation/silent': silent('dosing', { retained: bioreactor }),
  'dosing_automation/chemostat': dosing('chemostat', {
    options: { duration: '20', exchange_volume_ml: '0.4' },
    settings: { duration: float, exchange_volume_ml: float },
    settable: { duration: minutes('25'), exchange_volume_ml: millilitres('0.5') },
    event: automationEvent('DilutionEvent', { exchange_volume_ml: number, volume_actually_cycled_ml: number }),
  }),
  'dosing_automation/turbidostat': dosing('turbidostat', {
    options: { exchange_volume_ml: '0.4', target_biomass: '0.0001', biomass_signal: 'od' },
    settings: { exchange_volume_ml: float, target_biomass: float, biomass_signal: text },
    settable: {
      exchange_volume_ml: millilitres('0.5'),
      target_biomass: numeric('0.5', { '0': 'above 0', '1001': 'at most 1000' }),
      biomass_signal: { good: 'normalized_od', bad: { fused_od: 'od_fused', '': 'auto', '1': 'auto' } },
    },
    event: automationEvent('DilutionEvent', {
      latest_biomass: number,
      target_biomass: number,
      resolved_biomass_signal: is('od'),
      exchange_volume_ml: number,
      volume_actually_moved_ml: number,
    }),
  }),
  'dosing_automation/fed_batch': dosing('fed_batch', {
    options: { duration: '720', dosing_volume_ml: '0.2' },
    settings: { duration: float, dosing_volume_ml: float },
    settable: { duration: minutes('600'), dosing_volume_ml: millilitres('0.3') },
    event: automationEvent('AddMediaEvent', null),
  }),
  'dosing_automation/pid_morbidostat': dosing('pid_morbidostat', {
    options: { duration: '60', target_normalized_od: '0.2', target_growth_rate: '0.05' },
    settings: { duration: float, target_normalized_od: float, target_growth_rate: float },
    settable: {
      duration: minutes('50'),
      target_normalized_od: numeric('0.5', { '0': 'above 0', '1001': 'at most 1000' }),
      target_growth_rate: numeric('0.1', { '-0.1': 'at least 0', '4': 'at most 3' }),
    },
    event: automationEvent('AddAltMediaEvent', {
      fraction_of_alt_media_to_add: number,
      alt_media_ml: number,
      media_ml: number,
    }),
    streams: { 'pid_log/growth_rate': pid },
  }),
  'led_automation/silent': silent('led'),
  'led_automation/light_dark_cycle': automation('led', 'light_dark_cycle', {
    options: { light_intensity: '7', light_duration_minutes: '30', dark_duration_minutes: '30' },
    settings: {
      light_intensity: float,
      light_duration_minutes: float,
      dark_duration_minutes: float,
    },
    event: automationEvent('ChangedLedIntensity', null),
    settable: {
      light_intensity: percent('9'),
      light_duration_minutes: numeric('60', { '-1': 'at least 0 min' }),
      dark_duration_minutes: numeric('45', { '-1': 'at least 0 min' }),
    },
    ...leds,
  }),
}

/** Belongs to the unit: topics below `$experiment`. */
export const monitor: JobContract = {
  settings: {
    computer_statistics: json(
      fields({ available_disk_space: number, cpu_temperature_celcius: nullOr(number), timestamp: datetime }),
    ),
    button_down: boolean,
    versions: json(isObject),
    voltage_on_pwm_rail: json(fields({ timestamp: datetime, voltage: number })),
    ipv4: text,
    wlan_mac_address: text,
    eth_mac_address: text,
  },
  settable: {
    versions: { good: '{"app":"9.9.9"}', bad: { app: 'JSON', '[]': 'object', nan: 'JSON' }, partial: true },
  },
}

/** What an action does by itself and ends. */
export const actions: Readonly<Record<string, JobContract>> = {
  add_media: { options: { ml: '0.2' }, retained: bioreactor, streams: doses },
  add_alt_media: { options: { duration: '2' }, retained: bioreactor, streams: doses },
  remove_waste: { options: { ml: '0.3', source_of_event: 'walk' }, retained: bioreactor, streams: doses },
  circulate_media: { options: { duration: '2' }, retained: bioreactor, streams: doses },
  circulate_alt_media: { options: { duration: '2' }, retained: bioreactor, streams: doses },
  pumps: {
    args: ['--media', '0.1', '--sleep', '1', '--waste', '0.1', '--media_', '0.1'],
    retained: bioreactor,
    streams: doses,
  },
  'growth_rate_calculating clear_cache': {},
  od_blank: { options: { n_samples: '6' }, retained: { 'od_blank/means': json(mapOf(/^[234]$/, number)) } },
  'od_blank delete': {},
}

/** Why each of these is refused. */
export const refused: Readonly<Record<string, JobContract & { readonly reason: string }>> = {
  experiment_profile: { reason: 'experiment_profile execute or verify' },
  'experiment_profile execute': { args: ['growth.yaml', 'walk'], reason: 'experiment profiles' },
  'experiment_profile verify': { args: ['growth.yaml'], reason: 'experiment profiles' },
  export_experiment_data: { options: { experiment: 'walk' }, reason: 'export datasets' },
  backup_database: { reason: 'event-log.db' },
}
