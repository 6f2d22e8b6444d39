import { join } from 'node:path'
import type { IniSections } from './ini.js'

/** The configuration of a unit that nobody configured. Source: stock configuration of Pioreactor 26.7. */
const STOCK: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  PWM: { 1: 'stirring', 2: 'media', 3: 'alt_media', 4: 'waste', 5: 'heating' },
  leds: { A: 'IR', B: '', C: '', D: '' },
  'monitor.config': { enable_button: 'auto', self_check_interval_hours: '12' },
  'stirring.config': {
    initial_target_rpm: '500',
    initial_duty_cycle: '30',
    pwm_hz: '200',
    use_rpm: '1',
    duration_between_updates_seconds: '23',
    enable_dodging_od: 'False',
    post_delay_duration: '0.25',
    pre_delay_duration: '1.5',
    target_rpm_during_od_reading: '0',
    target_rpm_outside_od_reading: '500',
  },
  'stirring.pid': { Kp: '0.005', Ki: '0.0', Kd: '0.0' },
  'od_reading.config': {
    samples_per_second: '0.2',
    ir_led_intensity: '80',
    pd_reference_ema: '0.75',
    smoothing_penalizer: '3.0',
    turn_off_leds_during_reading: '1',
    duration_between_led_off_and_od_reading: '0.125',
    use_dark_offsets: 'True',
    ref_normalization: 'unity',
  },
  'od_config.photodiode_channel': { 1: 'REF', 2: '90', 3: '', 4: '' },
  bioreactor: {
    efflux_tube_volume_ml: '15',
    initial_volume_ml: '15',
    initial_alt_media_fraction: '0',
    initial_cumulative_media_added_ml: '0',
    initial_cumulative_alt_media_added_ml: '0',
    initial_cumulative_waste_removed_ml: '0',
  },
  'dosing_automation.config': {
    pause_between_subdoses_seconds: '5',
    waste_removal_multiplier: '2',
    max_subdose: '1.0',
  },
  'dosing_automation.pid_morbidostat': { Kp: '1', Ki: '0', Kd: '0', minimum_dosing_volume_ml: '0.1' },
  'dosing_automation.turbidostat': { biomass_signal: 'auto' },
  'temperature_automation.thermostat': { Kp: '2.6', Ki: '0.0', Kd: '4.6' },
  'growth_rate_calculating.config': { ekf_outlier_std_threshold: '5.0', samples_for_od_statistics: '10' },
  storage: { number_of_backup_replicates_to_workers: '2' },
  logging: {
    log_file: '/var/log/pioreactor.log',
    ui_log_file: '/var/log/pioreactor.log',
    ui_log_level: 'INFO',
    console_log_level: 'DEBUG',
  },
  'cluster.topology': { leader_hostname: '', leader_address: '' },
  'cluster.addresses': {},
  mqtt: {
    username: 'pioreactor',
    password: 'raspberry',
    broker_address: '',
    broker_port: '1883',
    broker_ws_port: '9001',
    ws_protocol: 'ws',
    use_tls: '0',
  },
  ui: { domain_alias: 'pioreactor.local', port: '80', proto: 'http' },
  'ui.overview.settings': {
    filtered_od_lookback_hours: '50000',
    raw_od_lookback_hours: '50000',
    time_display_mode: 'clock_time',
  },
  'ui.overview.charts': {
    optical_density: '1',
    normalized_optical_density: '1',
    implied_growth_rate: '1',
    temperature: '1',
    implied_daily_growth_rate: '0',
    raw_optical_density: '0',
    current_volume_ml: '0',
    fused_optical_density: '0',
    fraction_of_volume_that_is_alternative_media: '0',
  },
  'ui.overview.cards': { dosings: '1', event_logs: '1', profiles: '1' },
  local_access_point: { ssid: 'pioreactor', passphrase: 'raspberry', proto: 'rsn' },
}

/** Stock configuration with its storage below `dotPioreactor`. */
export function stockConfig(dotPioreactor: string): IniSections {
  const stored = (name: string): string => join(dotPioreactor, 'storage', name).replaceAll('%', '%%')
  const storage = new Map([
    ['database', stored('pioreactor.sqlite')],
    ['temporary_cache', stored('local_intermittent_pioreactor_metadata.sqlite')],
    ['persistent_cache', stored('local_persistent_pioreactor_metadata.sqlite')],
  ])
  return new Map(
    Object.entries(STOCK).map(([section, options]) => [
      section,
      new Map([...(section === 'storage' ? storage : []), ...Object.entries(options)]),
    ]),
  )
}
